{{- define "managed-agent-control.selectorLabels" -}}
app.kubernetes.io/name: {{ include "managed-agent-control.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: server
{{- end }}

{{/* Labels of an object: {context, component, labels}. The chart's own win over the object's, and those over commonLabels. */}}
{{- define "managed-agent-control.labelsOf" -}}
{{- $labels := dict "app.kubernetes.io/name" (include "managed-agent-control.name" .context) }}
{{- $_ := set $labels "app.kubernetes.io/instance" .context.Release.Name }}
{{- $_ := set $labels "app.kubernetes.io/version" .context.Chart.AppVersion }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .context.Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .context.Chart.Name .context.Chart.Version | replace "+" "_") }}
{{- with .component }}{{ $_ := set $labels "app.kubernetes.io/component" . }}{{ end }}
{{- merge $labels (.labels | default dict) .context.Values.commonLabels | toYaml }}
{{- end }}

{{/* Labels of an object without any of its own. */}}
{{- define "managed-agent-control.labels" -}}
{{- include "managed-agent-control.labelsOf" (dict "context" .) }}
{{- end }}

{{- define "managed-agent-control.redisName" -}}
{{- printf "%s-redis" .Release.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "managed-agent-control.redisSelectorLabels" -}}
app.kubernetes.io/name: redis
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: store
{{- end }}

{{- define "managed-agent-control.redisLabels" -}}
{{- $labels := include "managed-agent-control.redisSelectorLabels" . | fromYaml }}
{{- $_ := set $labels "app.kubernetes.io/managed-by" .Release.Service }}
{{- $_ := set $labels "helm.sh/chart" (printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_") }}
{{- merge $labels .Values.commonLabels | toYaml }}
{{- end }}
