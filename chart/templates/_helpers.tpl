{{/* Names are fixed: the lease and the roles go by them, and one namespace has one operator. */}}
{{- define "operator.selector" -}}
app.kubernetes.io/name: analysis-operator
{{- end }}

{{- define "operator.commonLabels" -}}
app.kubernetes.io/part-of: video-analysis
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "operator.labels" -}}
{{ include "operator.selector" . }}
app.kubernetes.io/component: operator
{{ include "operator.commonLabels" . }}
{{- end }}

{{- define "operator.prefix" -}}
{{- with .Values.image.registry }}{{ trimSuffix "/" . }}/{{ end }}
{{- end }}

{{- define "operator.image" -}}
{{- $name := printf "%s%s" (include "operator.prefix" .) .Values.image.repository -}}
{{- if .Values.image.digest }}{{ $name }}@{{ .Values.image.digest }}
{{- else }}{{ $name }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{/* The list of permissions, once for ClusterRole and Role. */}}
{{- define "operator.rules" -}}
{{ (.Files.Get "files/role.yaml" | splitList "\n---\n" | first | fromYaml).rules | toYaml }}
{{- end }}
