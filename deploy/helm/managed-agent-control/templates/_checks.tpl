{{/*
What values.schema.json cannot say, or not in a sentence that helps: values that only make sense together. The server
refuses most of it itself, but then it is a pod that does not start; here nothing is installed. All problems are told at once.
*/}}
{{- define "managed-agent-control.checks" -}}
{{- $problems := list }}
{{- range list "secrets" "credential" "auth" "replicas" "pods" "routes" "network" "alerts" "names" }}
{{- $found := include (printf "managed-agent-control.checks.%s" .) $ }}
{{- range splitList "\n" $found }}{{ with trim . }}{{ $problems = append $problems . }}{{ end }}{{ end }}
{{- end }}
{{- if $problems }}
{{- fail (printf "\nThese values cannot be installed:\n  - %s\n" (join "\n  - " $problems)) }}
{{- end }}
{{- end }}

{{/* A list, or text with commas, as a JSON list. */}}
{{- define "managed-agent-control.list" -}}
{{- $given := . }}
{{- if kindIs "invalid" . }}{{ $given = list }}{{ else if kindIs "string" . }}{{ $given = compact (splitList "," (nospace .)) }}{{ end }}
{{- toJson $given }}
{{- end }}

{{- define "managed-agent-control.authModes" -}}
{{- include "managed-agent-control.list" .Values.settings.MCP_AUTH_MODE }}
{{- end }}

{{/* Where the limits are counted together: the Redis of the release, or a URL of one's own. */}}
{{- define "managed-agent-control.hasRedis" -}}
{{- if or .Values.redis.enabled .Values.secrets.MCP_REDIS_URL }}true{{ end }}
{{- end }}

{{- define "managed-agent-control.maxReplicas" -}}
{{- ternary .Values.autoscaling.maxReplicas .Values.replicaCount .Values.autoscaling.enabled }}
{{- end }}

{{- define "managed-agent-control.checks.secrets" -}}
{{- range $name, $entry := .Values.secrets }}
{{- if $entry }}
{{- if not (or $entry.value $entry.existingSecret) }}
secrets.{{ $name }} has nothing in it: set value, or existingSecret and key.
{{- end }}
{{- if and $entry.value (or $entry.existingSecret $entry.key) }}
secrets.{{ $name }} has a value and names a Secret of your own. Keep one.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.credential" -}}
{{- $key := .Values.secrets.ANTHROPIC_API_KEY }}
{{- with .Values.federation }}
{{- if and (not .enabled) (not $key) }}
secrets.ANTHROPIC_API_KEY is missing: set value, or existingSecret and key. Or use federation.enabled=true.
{{- end }}
{{- if and .enabled $key }}
secrets.ANTHROPIC_API_KEY and federation.enabled=true exclude each other: the key would win. Keep one.
{{- end }}
{{- if and .enabled (not (and .ruleId .organizationId)) }}
federation.ruleId and federation.organizationId are needed with federation.enabled=true.
{{- end }}
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.auth" -}}
{{- $modes := include "managed-agent-control.authModes" . | fromJsonArray }}
{{- $set := .Values.settings }}
{{- if not (or $modes $set.MCP_ALLOW_INSECURE_NO_AUTH) }}
settings.MCP_AUTH_MODE is missing: whoever reaches the pod could use your Anthropic key. Set it to bearer, oidc or cognito, or set settings.MCP_ALLOW_INSECURE_NO_AUTH=true to accept that.
{{- end }}
{{- $tokens := or .Values.secrets.MCP_BEARER_TOKEN .Values.secrets.MCP_BEARER_TOKENS $set.MCP_BEARER_TOKENS_FILE }}
{{- if and (has "bearer" $modes) (not $tokens) }}
secrets.MCP_BEARER_TOKEN is missing: settings.MCP_AUTH_MODE=bearer needs it, or secrets.MCP_BEARER_TOKENS.
{{- end }}
{{- if and .Values.secrets.MCP_BEARER_TOKENS $set.MCP_BEARER_TOKENS_FILE }}
settings.MCP_BEARER_TOKENS_FILE is set by secrets.MCP_BEARER_TOKENS. Keep one.
{{- end }}
{{- if or (has "oidc" $modes) (has "cognito" $modes) }}
{{- if not $set.MCP_OIDC_ISSUER }}
settings.MCP_OIDC_ISSUER is missing: set it to the issuer of your identity provider (the iss claim).
{{- end }}
{{- $required := get $set "MCP_OIDC_REQUIRE_AUDIENCE" | toString | ne "false" }}
{{- if and $required (not $set.MCP_OIDC_AUDIENCE) }}
settings.MCP_OIDC_AUDIENCE is missing: without it a token for any other application of the issuer would be accepted. Set it to the URL of this server or your client id, or set settings.MCP_OIDC_REQUIRE_AUDIENCE=false to accept that.
{{- end }}
{{- if not $set.MCP_PUBLIC_URL }}
settings.MCP_PUBLIC_URL is missing: clients that sign in are told this address, and tokens are for it.
{{- end }}
{{- end }}
{{- if and (has "cognito" $modes) (not $set.MCP_COGNITO_HOSTED_UI) }}
settings.MCP_COGNITO_HOSTED_UI is missing: settings.MCP_AUTH_MODE=cognito needs the domain of the user pool.
{{- end }}
{{- if and $set.MCP_OAUTH_FACADE (not $set.MCP_OAUTH_CLIENT_ID) }}
settings.MCP_OAUTH_CLIENT_ID is missing: settings.MCP_OAUTH_FACADE=true hands it to clients that register.
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.replicas" -}}
{{- $set := .Values.settings }}
{{- $many := gt (int (include "managed-agent-control.maxReplicas" .)) 1 }}
{{- $limits := list }}
{{- range list "MCP_RATE_LIMIT_PER_MINUTE" "MCP_MAX_STARTS_PER_HOUR" "MCP_MAX_RUNNING_SESSIONS" }}
{{- if index $set . }}{{ $limits = append $limits (printf "settings.%s" .) }}{{ end }}
{{- end }}
{{- if and $many $limits (not (include "managed-agent-control.hasRedis" .)) }}
{{ join ", " $limits }}: with more than one replica each would count for itself, and callers get a multiple of the limit. Set redis.enabled=true or secrets.MCP_REDIS_URL, or run one replica.
{{- end }}
{{- if and $many (eq (toString $set.MCP_APPROVAL_MODE) "human") (not .Values.secrets.MCP_APPROVAL_SECRET) }}
secrets.MCP_APPROVAL_SECRET is missing: with settings.MCP_APPROVAL_MODE=human every replica has to take the answer to a question of another one.
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (lt (int .maxReplicas) (int .minReplicas)) }}
autoscaling.maxReplicas is smaller than autoscaling.minReplicas.
{{- end }}
{{- if and .enabled (not (or .targetCPUUtilizationPercentage .targetWaiters)) }}
autoscaling has nothing to go by: set targetCPUUtilizationPercentage or targetWaiters.
{{- end }}
{{- end }}
{{- if and .Values.autoscaling.enabled .Values.autoscaling.targetCPUUtilizationPercentage (not (or (dig "requests" "cpu" "" .Values.resources) (dig "limits" "cpu" "" .Values.resources))) }}
autoscaling.targetCPUUtilizationPercentage is a share of resources.requests.cpu, which is missing: set it, or set the target to 0.
{{- end }}
{{- if and .Values.redis.enabled (not (or .Values.redis.auth.password .Values.redis.auth.existingSecret)) }}
redis.auth.password is missing: redis.enabled=true needs it (at least 16 letters, digits, - or _), or redis.auth.existingSecret.
{{- end }}
{{- if and .Values.redis.enabled .Values.secrets.MCP_REDIS_URL }}
secrets.MCP_REDIS_URL and redis.enabled=true exclude each other. Keep one.
{{- end }}
{{- end }}

{{/* Settings with which a pod would not start, or nobody would reach it. */}}
{{- define "managed-agent-control.checks.pods" -}}
{{- $set := .Values.settings }}
{{- with $set.MCP_AUDIT_FILE }}
{{- if or (not (isAbs .)) (has (dir .) (list "/" "/app" "/nodejs" "/etc" "/usr" "/lib")) }}
settings.MCP_AUDIT_FILE has to be an absolute path in a directory of its own, such as /var/log/managed-agent-control/audit.log: a volume is mounted there, and would hide what the image has.
{{- end }}
{{- end }}
{{- if and $set.MCP_AUDIT_REQUIRED (not (or $set.MCP_AUDIT_FILE $set.MCP_AUDIT_URL)) }}
settings.MCP_AUDIT_REQUIRED needs settings.MCP_AUDIT_FILE or settings.MCP_AUDIT_URL.
{{- end }}
{{- if regexMatch "^(localhost|127\\..*|\\[?::1\\]?)$" (toString $set.MCP_HOST) }}
settings.MCP_HOST is on loopback, where neither the Service nor the probes reach the server: leave it out.
{{- end }}
{{- if and (eq .Values.dnsPolicy "None") (not .Values.dnsConfig.nameservers) }}
dnsPolicy=None needs dnsConfig.nameservers.
{{- end }}
{{- range .Values.initContainers }}{{ $name := .name }}{{ range $.Values.extraContainers }}{{ if eq .name $name }}
initContainers and extraContainers both have {{ $name }}: containers of a pod have different names.
{{- end }}{{ end }}{{ end }}
{{- $grace := int (include "managed-agent-control.graceSeconds" .) }}
{{- if gt (mul 2 (int $set.MCP_SHUTDOWN_DELAY_SECONDS)) $grace }}
settings.MCP_SHUTDOWN_DELAY_SECONDS has to be at most half of settings.MCP_SHUTDOWN_GRACE_SECONDS ({{ $grace }}), so that calls under way can finish.
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.routes" -}}
{{- $public := include "managed-agent-control.publicHost" . }}
{{- if and .Values.ingress.enabled (not (or $public .Values.ingress.hosts)) }}
settings.MCP_PUBLIC_URL is missing: the Ingress takes its host from there (or from ingress.hosts).
{{- end }}
{{- if and .Values.httpRoute.enabled (not (or $public .Values.httpRoute.hostnames)) }}
settings.MCP_PUBLIC_URL is missing: the HTTPRoute takes its host from there (or from httpRoute.hostnames).
{{- end }}
{{- $path := include "managed-agent-control.publicPath" . }}
{{- if hasSuffix "/mcp" $path }}
settings.MCP_PUBLIC_URL ends with /mcp: give the address without it; clients add it.
{{- else if and .Values.ingress.enabled $path }}
settings.MCP_PUBLIC_URL has the path {{ $path }}, which an Ingress cannot take away in front of the server: use httpRoute, which does, or a host of its own. An Ingress of your own (extraObjects) has to take {{ $path }} away, except below /.well-known.
{{- end }}
{{- if and .Values.httpRoute.enabled .Values.httpRoute.path $path (ne (trimSuffix "/" .Values.httpRoute.path) $path) }}
httpRoute.path is {{ .Values.httpRoute.path }}, but settings.MCP_PUBLIC_URL, which clients are told, has the path {{ $path }}. Leave httpRoute.path out.
{{- end }}
{{- with .Values.service }}
{{- if and (ne .type "LoadBalancer") (or .loadBalancerClass .loadBalancerSourceRanges) }}
service.loadBalancerClass and service.loadBalancerSourceRanges need service.type=LoadBalancer.
{{- end }}
{{- if and (eq .type "ClusterIP") (or .externalTrafficPolicy .nodePort) }}
service.externalTrafficPolicy and service.nodePort need service.type=NodePort or LoadBalancer.
{{- end }}
{{- if and (eq .ipFamilyPolicy "SingleStack") (gt (len .ipFamilies) 1) }}
service.ipFamilies has two families, but service.ipFamilyPolicy=SingleStack takes one.
{{- end }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
httpRoute.parentRefs is empty: name the Gateway that serves the route.
{{- end }}
{{- if not .Values.settings.MCP_PORT }}
settings.MCP_PORT has to be a fixed port: the Service leads to it.
{{- end }}
{{- if not .Values.settings.MCP_MANAGEMENT_PORT }}
settings.MCP_MANAGEMENT_PORT has to be a fixed port: the probes ask it.
{{- end }}
{{- if eq (toString .Values.settings.MCP_PORT) (toString .Values.settings.MCP_MANAGEMENT_PORT) }}
settings.MCP_PORT and settings.MCP_MANAGEMENT_PORT are the same: what is for operators would be open to callers.
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.network" -}}
{{- with .Values.proxy }}
{{- range $name, $url := dict "https" .https "http" .http }}
{{- if contains "@" $url }}
proxy.{{ $name }} has a user or password in it, which everyone who can read the ConfigMap would see: put the address into a Secret, under the key {{ upper $name }}_PROXY, and name that in proxy.existingSecret.
{{- end }}
{{- end }}
{{- if and .existingSecret (or .https .http) }}
proxy.existingSecret takes the place of proxy.https and proxy.http. Keep one.
{{- end }}
{{- end }}
{{- if and .Values.trustedCA.configMap .Values.trustedCA.secret }}
trustedCA.configMap and trustedCA.secret exclude each other. Keep one.
{{- end }}
{{- if and .Values.networkPolicy.enabled (include "managed-agent-control.hasProxy" .) (not .Values.networkPolicy.egress.proxy.to) }}
networkPolicy.egress.proxy.to is empty: the proxy could not be reached. Name it as a NetworkPolicy peer, with its port in networkPolicy.egress.proxy.ports.
{{- end }}
{{- with .Values.networkPolicy }}
{{- if .enabled }}
{{- if not .ingress.from }}
networkPolicy.ingress.from is empty: nobody could call the server. Name the namespace of your ingress controller or clients.
{{- end }}
{{- if and $.Values.metrics.serviceMonitor.enabled (not .ingress.metricsFrom) }}
networkPolicy.ingress.metricsFrom is empty: Prometheus could not read the metrics of metrics.serviceMonitor.
{{- end }}
{{- if and $.Values.secrets.MCP_REDIS_URL (not .egress.redis.to) }}
networkPolicy.egress.redis.to is empty: the Redis of secrets.MCP_REDIS_URL could not be reached.
{{- end }}
{{- range $name, $value := $.Values.settings }}
{{- if and (regexMatch "^OTEL_EXPORTER_OTLP_.*ENDPOINT$" $name) $value (not $.Values.networkPolicy.egress.otlp.to) }}
networkPolicy.egress.otlp.to is empty: the collector of settings.{{ $name }} could not be reached.
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.alerts" -}}
{{- range $name, $change := .Values.metrics.prometheusRule.alerts }}
{{- range ($.Files.Get "files/alerts.yaml" | fromYaml).groups }}{{ range .rules }}
{{- if and (eq .alert $name) (hasKey ($change | default dict) "threshold") (not (regexMatch "[<>] [0-9.]+" .expr)) }}
metrics.prometheusRule.alerts.{{ $name }}.threshold: this alert has none; switch it off with enabled=false, or set for.
{{- end }}
{{- end }}{{ end }}
{{- end }}
{{- end }}

{{- define "managed-agent-control.checks.names" -}}
{{- $env := include "managed-agent-control.environment" . | fromYaml }}
{{- $files := include "managed-agent-control.secretFiles" . | fromJson }}
{{- $known := .Files.Get "files/settings.txt" | splitList "\n" }}
{{- range .Values.extraEnv }}
{{- if or (hasKey $env .name) (hasKey $files .name) (has .name $known) (has (trimSuffix "_FILE" .name) $known) }}
extraEnv has {{ .name }}, which the chart sets: use settings.{{ .name }}, secrets.{{ trimSuffix "_FILE" .name }}, federation, proxy or trustedCA.
{{- end }}
{{- end }}
{{- end }}
