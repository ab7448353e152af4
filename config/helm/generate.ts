/**
 * Writes the parts of the chart that come from other files, as a part of `npm run generate`. The chart and kustomize
 * install the same CRD, roles and some other objects. The script copies these objects from the files that kustomize
 * reads. The table in the README comes from values.yaml.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCollection, isMap, parseDocument, type YAMLMap } from 'yaml';
import { OPERATOR_NAMESPACE } from '../../operator/model/namespaces.ts';

const CONFIG = join(import.meta.dirname, '..');
const CHART = join(import.meta.dirname, 'capabilitypolicy');

interface Template {
  readonly name: string;
  /** The paths of the source files below config/. */
  readonly files: readonly string[];
  /** The condition under which the objects are rendered, as an expression of Go's templates. */
  readonly when?: string;
  readonly change?: (text: string) => string;
}

const TEMPLATES: readonly Template[] = [
  {
    name: 'crd',
    files: ['../crds/capabilitypolicies.yaml'],
    when: '.Values.crds.install',
    change: (text) =>
      text.replace(/^metadata:\n {2}name: .*\n/m, '$&  annotations:\n    helm.sh/resource-policy: keep\n'),
  },
  {
    name: 'service-account',
    files: ['rbac/service_account.yaml'],
    change: (text) =>
      `${text}  {{- with .Values.serviceAccount.annotations }}\n  annotations:\n    {{- toYaml . | nindent 4 }}\n  {{- end }}\n`,
  },
  {
    name: 'rbac',
    files: [
      'rbac/role.yaml',
      'rbac/role_binding.yaml',
      'rbac/namespaced_roles.yaml',
      'rbac/namespaced_role_bindings.yaml',
      'rbac/capabilitypolicy_viewer_role.yaml',
      'rbac/capabilitypolicy_editor_role.yaml',
      'rbac/policyreport_viewer_role.yaml',
    ],
  },
  {
    name: 'metrics-reader',
    files: ['prometheus/metrics_reader_role.yaml'],
    when: '.Values.metricsReader.create',
  },
  {
    name: 'metrics-auth',
    files: ['rbac/metrics_auth_role.yaml'],
    when: 'index .Values.flags "metrics-secure"',
  },
  {
    name: 'metrics-service',
    files: ['manager/metrics_service.yaml'],
    when: 'include "capabilitypolicy.port" (index .Values.flags "metrics-bind-address")',
  },
  {
    name: 'pod-disruption-budget',
    files: ['manager/pod_disruption_budget.yaml'],
    when: 'gt (int .Values.replicas) 1',
  },
  {
    name: 'network-policy',
    files: ['network-policy/network_policy.yaml'],
    when: '.Values.networkPolicy.enabled',
  },
];

/** The text of each generated file. Each key is the path of a file below the chart. */
export function generatedFiles(): Map<string, string> {
  return new Map([
    ...TEMPLATES.map((template) => [`templates/${template.name}.yaml`, render(template)] as const),
    ['README.md', readme()],
  ]);
}

function render({ files, when, change = (text) => text }: Template): string {
  const text = files.map((file) => readFileSync(join(CONFIG, file), 'utf8')).join('---\n');
  if (text.includes('{{')) throw new Error(`${files.join(', ')}: what looks like a template has to be quoted first`);
  const body = change(text.replaceAll(`namespace: ${OPERATOR_NAMESPACE}`, 'namespace: {{ .Release.Namespace }}'));
  const origin = `{{- /* Made by \`npm run generate\` from ${files.map((file) => join('config', file)).join(', ')}. */}}\n`;
  return when === undefined ? `${origin}${body}` : `${origin}{{- if ${when} }}\n${body}{{- end }}\n`;
}

function readme(): string {
  const { contents } = parseDocument(readFileSync(join(CHART, 'values.yaml'), 'utf8'));
  const rows = rowsOf(contents as YAMLMap, '').map((cells) => `| ${cells.join(' | ')} |`);
  return `# CapabilityPolicy

Pod Security Standards plus your exceptions, compiled to what Kubernetes itself enforces.

    helm install capabilitypolicy . --namespace ${OPERATOR_NAMESPACE} --create-namespace

A cluster can have only one operator, because the operator's objects have the same names in every release. The CRD is a
part of the release, so \`helm upgrade\` also upgrades the CRD. If the release is uninstalled, the CRD stays in the
cluster.

| Value | Default | |
|---|---|---|
${rows.join('\n')}
`;
}

/** The rows of the README's table. Each value has a row with its path, its default, and the comment above the value. */
function rowsOf(map: YAMLMap, prefix: string): string[][] {
  return map.items.flatMap(({ key, value }, index) => {
    const path = prefix + String(key);
    // The YAML parser assigns the comment above the first key of a map to the map itself.
    const what = comment(index === 0 && prefix !== '' ? map : key);
    // If Kubernetes defines the fields of a value, the value has only one row.
    if (!isMap(value) || value.items.length === 0 || path === 'resources') {
      return [[`\`${path}\``, `\`${JSON.stringify(isCollection(value) ? value.toJSON() : value)}\``, what]];
    }
    const section = what === '' ? [] : [[`\`${path}\``, '', what]];
    return [...section, ...rowsOf(value, `${path}.`)];
  });
}

function comment(key: unknown): string {
  const text = (key as { commentBefore?: string | null }).commentBefore ?? '';
  return text
    .split('\n')
    .map((line) => line.trim())
    .join(' ')
    .replaceAll('|', '\\|');
}

if (import.meta.main) {
  for (const [path, text] of generatedFiles()) writeFileSync(join(CHART, path), text);
}
