{{- define "managed-agent-control.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the release's objects. 48 characters at most, which leaves room for what is appended to it. */}}
{{- define "managed-agent-control.fullname" -}}
{{- $name := include "managed-agent-control.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "managed-agent-control.selectorLabels" -}}
app.kubernetes.io/name: {{ include "managed-agent-control.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{/* Labels of every object. Without a component: objects say which one they belong to. */}}
{{- define "managed-agent-control.labels" -}}
app.kubernetes.io/name: {{ include "managed-agent-control.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "managed-agent-control.serviceAccountName" -}}
{{- $created := ternary (include "managed-agent-control.fullname" .) "default" .Values.serviceAccount.create }}
{{- default $created .Values.serviceAccount.name }}
{{- end }}

{{- define "managed-agent-control.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* Seconds the server takes to end, at most; its own default where the setting is taken back. */}}
{{- define "managed-agent-control.graceSeconds" -}}
{{- .Values.settings.MCP_SHUTDOWN_GRACE_SECONDS | default 25 }}
{{- end }}

{{/* Host of MCP_PUBLIC_URL, without port; empty when there is none. */}}
{{- define "managed-agent-control.publicHost" -}}
{{- with .Values.settings.MCP_PUBLIC_URL }}{{ (urlParse .).hostname }}{{ end }}
{{- end }}

{{/* Host names of the Ingress or HTTPRoute, as a JSON list: those given, or that of the public URL. */}}
{{- define "managed-agent-control.hosts" -}}
{{- $public := compact (list (include "managed-agent-control.publicHost" .context)) }}
{{- toJson (default $public .given) }}
{{- end }}

{{- define "managed-agent-control.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "managed-agent-control.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}
