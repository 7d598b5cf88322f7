{{/*
The alert rules, without those that metrics.prometheusRule.alerts switches off and with what it changes. The threshold of an
alert is the first number that its expression compares with.
*/}}
{{- define "managed-agent-control.alerts" -}}
{{- $values := .Values.metrics.prometheusRule }}
{{- $groups := list }}
{{- range $group := (.Files.Get "files/alerts.yaml" | fromYaml).groups }}
{{- $rules := list }}
{{- range $rule := $group.rules }}
{{- $change := index $values.alerts $rule.alert | default dict }}
{{- if ne (toString $change.enabled) "false" }}
{{- if hasKey $change "threshold" }}
{{- $threshold := include "managed-agent-control.text" $change.threshold }}
{{- $_ := set $rule "expr" (regexReplaceAll "^((?s:.*?)[<>] )[0-9.]+" $rule.expr (printf "${1}%s" $threshold)) }}
{{- end }}
{{- with $change.for }}{{ $_ := set $rule "for" . }}{{ end }}
{{- $_ := set $rule "labels" (merge (dict) ($change.labels | default dict) $values.alertLabels $rule.labels) }}
{{- $_ := set $rule "annotations" (merge (dict) ($change.annotations | default dict) $rule.annotations) }}
{{- $rules = append $rules $rule }}
{{- end }}
{{- end }}
{{- if $rules }}{{ $groups = append $groups (merge (dict "rules" $rules) $group) }}{{ end }}
{{- end }}
{{- toYaml (dict "groups" $groups) }}
{{- end }}
