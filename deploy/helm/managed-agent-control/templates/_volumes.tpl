{{/* What the pod can read and write besides its image. */}}
{{- define "managed-agent-control.volumes" -}}
{{- with include "managed-agent-control.secretFiles" . | fromJson }}
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range $setting, $file := . }}
      - secret:
          name: {{ $file.secret }}
          items:
            - key: {{ $file.key }}
              path: {{ $setting }}
      {{- end }}
{{- end }}
{{- if .Values.federation.enabled }}
- name: identity
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken:
          audience: {{ .Values.federation.audience }}
          expirationSeconds: {{ .Values.federation.expirationSeconds }}
          path: token
{{- end }}
{{- with .Values.trustedCA }}
{{- if or .configMap .secret }}
- name: trusted-ca
  {{- if .configMap }}
  configMap:
    name: {{ .configMap }}
  {{- else }}
  secret:
    secretName: {{ .secret }}
    defaultMode: 0440
  {{- end }}
    items:
      - key: {{ .key }}
        path: ca.crt
{{- end }}
{{- end }}
{{- if .Values.settings.MCP_AUDIT_FILE }}
- name: audit
  {{- if .Values.audit.existingClaim }}
  persistentVolumeClaim:
    claimName: {{ .Values.audit.existingClaim }}
  {{- else }}
  emptyDir: {}
  {{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "managed-agent-control.volumeMounts" -}}
{{- with include "managed-agent-control.secretFiles" . | fromJson }}
- name: secrets
  mountPath: {{ include "managed-agent-control.secretsDir" $ }}
  readOnly: true
{{- end }}
{{- if .Values.federation.enabled }}
- name: identity
  mountPath: {{ include "managed-agent-control.identityDir" . }}
  readOnly: true
{{- end }}
{{- if or .Values.trustedCA.configMap .Values.trustedCA.secret }}
- name: trusted-ca
  mountPath: {{ include "managed-agent-control.caDir" . }}
  readOnly: true
{{- end }}
{{- with .Values.settings.MCP_AUDIT_FILE }}
- name: audit
  mountPath: {{ dir . }}
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}
