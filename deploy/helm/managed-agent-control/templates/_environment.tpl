{{/* Where the secrets are mounted; each file has the name of its setting. */}}
{{- define "managed-agent-control.secretsDir" -}}/etc/managed-agent-control/secrets{{- end }}

{{/* Where the documentation of the federation puts the identity token. */}}
{{- define "managed-agent-control.identityDir" -}}/var/run/secrets/anthropic.com{{- end }}

{{- define "managed-agent-control.caDir" -}}/etc/managed-agent-control/ca{{- end }}

{{/* One setting as the text of an environment variable. Numbers arrive as floats, which would print as 1e+06. */}}
{{- define "managed-agent-control.text" -}}
{{- if kindIs "slice" . }}{{ join "," . }}
{{- else if kindIs "float64" . }}{{ ternary (toString (int64 .)) (toString .) (eq (floor .) .) }}
{{- else }}{{ toString . }}{{ end }}
{{- end }}

{{/* Names under which clients in the cluster reach the Service, and the hosts of the routes: the server refuses others. */}}
{{- define "managed-agent-control.allowedHosts" -}}
{{- $name := include "managed-agent-control.fullname" . }}
{{- $names := list $name (printf "%s.%s" $name .Release.Namespace) (printf "%s.%s.svc" $name .Release.Namespace) }}
{{- $names = append $names (printf "%s.%s.svc.cluster.local" $name .Release.Namespace) }}
{{- if .Values.ingress.enabled }}{{ $names = concat $names .Values.ingress.hosts }}{{ end }}
{{- if .Values.httpRoute.enabled }}{{ $names = concat $names .Values.httpRoute.hostnames }}{{ end }}
{{- $given := .Values.settings.MCP_ALLOWED_HOSTS | default list }}
{{- if kindIs "string" $given }}{{ $given = splitList "," $given }}{{ end }}
{{- join "," (uniq (concat $given $names)) }}
{{- end }}

{{/*
The whole environment of the server, as the data of the ConfigMap: the settings, the files of the secrets, and what the
Anthropic SDK reads for the federation. Nothing of it is secret.
*/}}
{{- define "managed-agent-control.environment" -}}
{{- $env := dict }}
{{- range $name, $value := .Values.settings }}
{{- if not (kindIs "invalid" $value) }}{{ $_ := set $env $name (include "managed-agent-control.text" $value) }}{{ end }}
{{- end }}
{{- $_ := set $env "MCP_ALLOWED_HOSTS" (include "managed-agent-control.allowedHosts" .) }}
{{- range $name := keys (include "managed-agent-control.secretFiles" . | fromJson) }}
{{- $_ := set $env (printf "%s_FILE" $name) (printf "%s/%s" (include "managed-agent-control.secretsDir" $) $name) }}
{{- end }}
{{- with .Values.federation }}
{{- if .enabled }}
{{- $_ := set $env "ANTHROPIC_IDENTITY_TOKEN_FILE" (printf "%s/token" (include "managed-agent-control.identityDir" $)) }}
{{- $ids := dict "ANTHROPIC_FEDERATION_RULE_ID" .ruleId "ANTHROPIC_ORGANIZATION_ID" .organizationId }}
{{- $ids = merge $ids (dict "ANTHROPIC_SERVICE_ACCOUNT_ID" .serviceAccountId "ANTHROPIC_WORKSPACE_ID" .workspaceId) }}
{{- range $name, $id := $ids }}{{ if $id }}{{ $_ := set $env $name $id }}{{ end }}{{ end }}
{{- end }}
{{- end }}
{{- with .Values.proxy }}
{{- if .https }}{{ $_ := set $env "HTTPS_PROXY" .https }}{{ end }}
{{- if .http }}{{ $_ := set $env "HTTP_PROXY" .http }}{{ end }}
{{- if include "managed-agent-control.hasProxy" $ }}
{{- $_ := set $env "NO_PROXY" (join "," (concat (list "localhost" ".svc" ".cluster.local") .noProxy)) }}
{{- end }}
{{- end }}
{{- if or .Values.trustedCA.configMap .Values.trustedCA.secret }}
{{- $_ := set $env "NODE_EXTRA_CA_CERTS" (printf "%s/ca.crt" (include "managed-agent-control.caDir" .)) }}
{{- end }}
{{- toYaml $env }}
{{- end }}

{{/* Whether requests leave through a proxy. */}}
{{- define "managed-agent-control.hasProxy" -}}
{{- with .Values.proxy }}{{ if or .https .http .existingSecret }}true{{ end }}{{ end }}
{{- end }}

{{/* Variables of the container besides those of the ConfigMap: a proxy's address can hold a password. */}}
{{- define "managed-agent-control.env" -}}
{{- with .Values.proxy.existingSecret }}
{{- range list "HTTPS_PROXY" "HTTP_PROXY" }}
- name: {{ . }}
  valueFrom:
    secretKeyRef:
      name: {{ $.Values.proxy.existingSecret }}
      key: {{ . }}
      optional: true
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Which key of which Secret is the file of which setting: {setting: {secret, key}}, as JSON. */}}
{{- define "managed-agent-control.secretFiles" -}}
{{- $files := dict }}
{{- $own := include "managed-agent-control.fullname" . }}
{{- range $name, $entry := .Values.secrets }}
{{- if $entry }}
{{- $file := dict "secret" ($entry.existingSecret | default $own) "key" $name }}
{{- if $entry.existingSecret }}{{ $_ := set $file "key" ($entry.key | default $name) }}{{ end }}
{{- $_ := set $files $name $file }}
{{- end }}
{{- end }}
{{- if .Values.redis.enabled }}
{{- $secret := .Values.redis.auth.existingSecret | default (include "managed-agent-control.redisName" .) }}
{{- $_ := set $files "MCP_REDIS_URL" (dict "secret" $secret "key" "url") }}
{{- end }}
{{- toJson $files }}
{{- end }}

{{/* The secrets whose values were given, as the data of the release's Secret; empty when there are none. */}}
{{- define "managed-agent-control.secretData" -}}
{{- $data := dict }}
{{- range $name, $entry := .Values.secrets }}
{{- if and $entry (not $entry.existingSecret) }}{{ $_ := set $data $name ($entry.value | default "" | b64enc) }}{{ end }}
{{- end }}
{{- with $data }}{{ toYaml . }}{{ end }}
{{- end }}
