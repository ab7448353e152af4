/** The command `migrate` converts PodSecurityPolicies and SecurityContextConstraints to CapabilityPolicies. */
import { Option } from 'commander';
import type { RegisterCommand } from '../../command.ts';
import { withExamples } from '../../examples.ts';
import * as options from '../../options.ts';
import type { MigrateOptions } from './run.ts';

const ABOUT = `convert PodSecurityPolicies and OpenShift's SecurityContextConstraints, with the roles and bindings that grant their use, to CapabilityPolicies. The CapabilityPolicies admit and refuse the same pods, and fill in the same values. Notes name every field and value without an exact counterpart`;

export const registerMigrate: RegisterCommand = (program, io, finish) => {
  const command = program
    .command('migrate')
    .description(ABOUT)
    .addOption(options.filenames())
    .addOption(
      new Option('--mode <mode>', 'the mode of the policies; only policies in mode Enforce fill in fields')
        .choices(['Audit', 'Warn', 'Enforce'])
        .default('Audit'),
    )
    .addOption(
      new Option(
        '--namespace-selector <list>',
        'KEY=VALUE,…: labels of the namespaces that the policies select (default: all)',
      ).argParser(options.labels),
    )
    .addOption(
      new Option(
        '-o, --output <format>',
        'yaml: policies to apply, with notes in comments; json: policies to apply, with all notes as fields; report: a table of the objects and their policies, and counts',
      )
        .choices(['yaml', 'json', 'report'])
        .default('yaml'),
    )
    .option('--strict', 'if a field or value has no exact counterpart, print no policy and exit with 1')
    .action(async (given: MigrateOptions) => {
      const { runMigrate } = await import('./run.ts');
      finish(await runMigrate(given, io));
    });
  withExamples(command, [
    {
      what: 'Convert a PodSecurityPolicy, with the role and the binding that grant its use',
      paste: `cappol migrate -f - <<'EOF'
apiVersion: policy/v1beta1
kind: PodSecurityPolicy
metadata: {name: restricted}
spec:
  allowPrivilegeEscalation: false
  requiredDropCapabilities: [ALL]
  volumes: [configMap, emptyDir, projected, secret]
  runAsUser: {rule: MustRunAsNonRoot}
  seLinux: {rule: RunAsAny}
  supplementalGroups: {rule: RunAsAny}
  fsGroup: {rule: RunAsAny}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: psp:restricted}
rules: [{apiGroups: [policy], resources: [podsecuritypolicies], resourceNames: [restricted], verbs: [use]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: psp:restricted}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: psp:restricted}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: system:serviceaccounts}]
EOF`,
    },
    {
      what: 'Print a table of all PodSecurityPolicies in a cluster',
      paste:
        'kubectl get podsecuritypolicies,clusterroles,clusterrolebindings,roles,rolebindings -A -o yaml | cappol migrate -f - -o report',
    },
  ]);
};
