{{/* The flags of the operator, each as one line of YAML. */}}
{{- define "capabilitypolicy.flags" -}}
{{- range $name, $value := .Values.flags }}
{{- if kindIs "bool" $value }}
{{- if $value }}
- --{{ $name }}
{{- end }}
{{- else if and (not (kindIs "invalid" $value)) (ne (toString $value) "") }}
- {{ printf "--%s=%s" $name (toString $value) | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* The port of an address such as :8080; empty for the address 0. */}}
{{- define "capabilitypolicy.port" -}}
{{- if contains ":" (toString .) }}{{ regexFind "[0-9]+$" . }}{{ end }}
{{- end }}
