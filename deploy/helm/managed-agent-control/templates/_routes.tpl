{{/* Host of MCP_PUBLIC_URL, without port; empty when there is none. */}}
{{- define "managed-agent-control.publicHost" -}}
{{- with .Values.settings.MCP_PUBLIC_URL }}{{ (urlParse .).hostname }}{{ end }}
{{- end }}

{{/* Path of MCP_PUBLIC_URL without a slash at its end; empty when there is none. */}}
{{- define "managed-agent-control.publicPath" -}}
{{- with .Values.settings.MCP_PUBLIC_URL }}{{ (urlParse .).path | trimSuffix "/" }}{{ end }}
{{- end }}

{{/* Host names of the Ingress or HTTPRoute, as a JSON list: those given, or that of the public URL. */}}
{{- define "managed-agent-control.hosts" -}}
{{- $public := compact (list (include "managed-agent-control.publicHost" .context)) }}
{{- toJson (default $public .given) }}
{{- end }}

{{/*
Rules of the HTTPRoute. A path of the public URL is taken away in front of the server, which serves /mcp. The documents that
clients read first are below /.well-known, where the path of the public URL comes last (RFC 9728, RFC 8414): those are left
as they are.
*/}}
{{- define "managed-agent-control.routeRules" -}}
{{- $path := .Values.httpRoute.path | default (include "managed-agent-control.publicPath" .) | trimSuffix "/" }}
{{- if $path }}
- matches:
    {{- range list "oauth-protected-resource" "oauth-authorization-server" "openid-configuration" }}
    - path:
        type: PathPrefix
        value: /.well-known/{{ . }}{{ $path }}
    {{- end }}
  {{- include "managed-agent-control.routeBackend" . | nindent 2 }}
- matches:
    - path:
        type: PathPrefix
        value: {{ $path }}
  filters:
    - type: URLRewrite
      urlRewrite:
        path:
          type: ReplacePrefixMatch
          replacePrefixMatch: /
  {{- include "managed-agent-control.routeBackend" . | nindent 2 }}
{{- else }}
- matches:
    - path:
        type: PathPrefix
        value: /
  {{- include "managed-agent-control.routeBackend" . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "managed-agent-control.routeBackend" -}}
timeouts:
  request: {{ .Values.httpRoute.timeout }}
backendRefs:
  - name: {{ include "managed-agent-control.fullname" . }}
    port: {{ .Values.service.port }}
{{- end }}
