/** Fields that the API server does not know, with the message of `cappol check` for each field. */

/** A pod that level restricted admits. */
export const DEPLOYMENT = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      enableServiceLinks: false
      securityContext:
        runAsNonRoot: true
        seccompProfile: {type: RuntimeDefault}
      containers:
      - name: web
        image: web
        env: [{name: A, value: "1"}]
        ports: [{containerPort: 80}]
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop: [ALL]
`;

/** The wrong text, the correct text, and the expected message. */
interface Row {
  readonly was: string;
  readonly is: string;
  readonly told: string;
  readonly level: 'error' | 'warning';
  /**
   * Whether the field is in a securityContext. In a securityContext, policies refuse fields that this release does not
   * know.
   */
  readonly refused?: true;
  /** The expected message of a violation that the wrong field causes. */
  readonly marked?: RegExp;
}

export const CONTAINER = 'spec.template.spec.containers[0]';

export const ROWS: readonly Row[] = [
  {
    was: 'capabilities:',
    is: 'capabilites:',
    told: `standard input:20: Deployment web: unknown field "${CONTAINER}.securityContext.capabilites": did you mean "capabilities"?`,
    level: 'error',
    marked: /must drop capability ALL .* \(line 20 has the unknown field "capabilites"\)$/,
  },
  {
    was: 'drop: [ALL]',
    is: 'dropp: [ALL]',
    told: `standard input:21: Deployment web: unknown field "${CONTAINER}.securityContext.capabilities.dropp": did you mean "drop"?`,
    level: 'error',
    marked: /must drop capability ALL .* \(line 21 has the unknown field "dropp"\)$/,
  },
  {
    was: 'runAsNonRoot',
    is: 'runAsNonroot',
    told: 'standard input:11: Deployment web: unknown field "spec.template.spec.securityContext.runAsNonroot": did you mean "runAsNonRoot"?',
    level: 'error',
    marked: /runAsNonRoot=true.* \(line 11 has the unknown field "runAsNonroot"\)$/,
  },
  {
    was: '      securityContext:\n        runAsNonRoot',
    is: '      securityContex:\n        runAsNonRoot',
    told: 'standard input:10: Deployment web: unknown field "spec.template.spec.securityContex": did you mean "securityContext"?',
    level: 'error',
    marked: /seccompProfile.* \(line 10 has the unknown field "securityContex"\)$/,
  },
  {
    was: 'enableServiceLinks: false',
    is: 'hostpid: true',
    told: 'standard input:9: Deployment web: unknown field "spec.template.spec.hostpid": did you mean "hostPID"?',
    level: 'error',
  },
  {
    was: 'containerPort: 80',
    is: 'containerport: 80',
    told: `standard input:17: Deployment web: unknown field "${CONTAINER}.ports[0].containerport": did you mean "containerPort"?`,
    level: 'error',
  },
  {
    was: 'selector:',
    is: 'selecter:',
    told: 'standard input:5: Deployment web: unknown field "spec.selecter": did you mean "selector"?',
    level: 'error',
  },
  {
    was: 'metadata: {name: web}',
    is: 'metadata: {name: web, label: {a: b}}',
    told: 'standard input:3: Deployment web: unknown field "metadata.label": did you mean "labels"?',
    level: 'error',
  },
  {
    was: 'enableServiceLinks: false',
    is: 'quantumEntanglement: true',
    told: 'standard input:9: warning: Deployment web: unknown field "spec.template.spec.quantumEntanglement": this release does not know the field',
    level: 'warning',
  },
  {
    was: 'image: web',
    is: 'image: web\n        hostNetwork: true',
    told: `standard input:16: warning: Deployment web: unknown field "${CONTAINER}.hostNetwork": hostNetwork is a field of the pod's spec`,
    level: 'warning',
  },
  {
    was: 'runAsNonRoot: true',
    is: 'runAsNonRoot: true\n        privileged: false',
    told: 'standard input:12: warning: Deployment web: unknown field "spec.template.spec.securityContext.privileged": privileged is a field of a container\'s securityContext',
    level: 'warning',
    refused: true,
  },
];
