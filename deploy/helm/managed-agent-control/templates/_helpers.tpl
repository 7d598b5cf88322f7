{{- define "managed-agent-control.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the release's objects. 48 characters at most, which leaves room for what is appended to it. */}}
{{- define "managed-agent-control.fullname" -}}
{{- $name := include "managed-agent-control.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- default $full .Values.fullnameOverride | trunc 48 | trimSuffix "-" }}
{{- end }}

{{- define "managed-agent-control.serviceAccountName" -}}
{{- $created := ternary (include "managed-agent-control.fullname" .) "default" .Values.serviceAccount.create }}
{{- default $created .Values.serviceAccount.name }}
{{- end }}

{{/*
An image by its tag or digest: {context, image: {repository, registry, tag, digest}}. The part of the repository before the
first slash is a registry when it has a dot or a port, or is localhost.
*/}}
{{- define "managed-agent-control.imageOf" -}}
{{- $registry := .context.Values.global.imageRegistry | default .image.registry | default "" | trimSuffix "/" }}
{{- $repository := .image.repository }}
{{- if $registry }}{{ $repository = printf "%s/%s" $registry (regexReplaceAll "^([^/]*[.:][^/]*|localhost)/" $repository "") }}{{ end }}
{{- $repository }}{{ with .image.digest }}@{{ . }}{{ else }}{{ with .image.tag }}:{{ . }}{{ end }}{{ end }}
{{- end }}

{{- define "managed-agent-control.image" -}}
{{- $image := merge (dict "tag" (.Values.image.tag | default .Chart.AppVersion)) .Values.image }}
{{- include "managed-agent-control.imageOf" (dict "context" . "image" $image) }}
{{- end }}

{{/* Seconds the server takes to end, at most; its own default where the setting is taken back. */}}
{{- define "managed-agent-control.graceSeconds" -}}
{{- .Values.settings.MCP_SHUTDOWN_GRACE_SECONDS | default 25 }}
{{- end }}

{{/* Security context of a pod: {context, given}. On OpenShift without ids, which its SCC assigns from the range of the namespace. */}}
{{- define "managed-agent-control.podSecurityContext" -}}
{{- $openshift := .context.Values.openshift }}
{{- if eq (toString $openshift) "auto" }}{{ $openshift = .context.Capabilities.APIVersions.Has "security.openshift.io/v1" }}{{ end }}
{{- $context := dict }}
{{- range $field, $value := .given }}
{{- if not (or (kindIs "invalid" $value) (and $openshift (has $field (list "runAsUser" "runAsGroup" "fsGroup")))) }}
{{- $_ := set $context $field $value }}
{{- end }}
{{- end }}
{{- toYaml $context }}
{{- end }}

{{- define "managed-agent-control.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* IP families of the Services of the release. */}}
{{- define "managed-agent-control.ipFamilies" -}}
ipFamilyPolicy: {{ .Values.service.ipFamilyPolicy }}
{{- with .Values.service.ipFamilies }}
ipFamilies:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/*
Replicas of the Deployment under an autoscaler: those that it has in the cluster. Without the field an upgrade that turns
autoscaling on would set it to its default, 1, until the autoscaler looks.
*/}}
{{- define "managed-agent-control.scaledReplicas" -}}
{{- $found := lookup "apps/v1" "Deployment" .Release.Namespace (include "managed-agent-control.fullname" .) }}
{{- max (int (dig "spec" "replicas" 0 $found)) (int .Values.autoscaling.minReplicas) }}
{{- end }}

{{/* Fields of a pod that places it: {nodeSelector, affinity, tolerations, priorityClassName}. */}}
{{- define "managed-agent-control.placement" -}}
{{- $fields := dict }}
{{- range $name := list "nodeSelector" "affinity" "tolerations" "priorityClassName" }}
{{- with index $ $name }}{{ $_ := set $fields $name . }}{{ end }}
{{- end }}
{{- with $fields }}{{ toYaml . }}{{ end }}
{{- end }}
