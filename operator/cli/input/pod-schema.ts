/**
 * The types of the fields that rules read (k8s.io/api/core/v1): where a manifest has another type, the API server refuses it,
 * and no rule could say anything about it. `privileged: "true"` is no boolean.
 */
import type { FieldPath } from './document.ts';
import { templatePath } from './kinds.ts';
import { type Problem, type Schema, schemaProblems } from './schema.ts';
import { type Hinting, withTypeHints } from './type-hint.ts';

const TEXT: Schema = { type: 'string' };
const FLAG: Schema = { type: 'boolean' };
const NUMBER: Schema = { type: 'integer' };

/** Only of what is named here anything is known. */
function object(properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema {
  return { type: 'object', properties, required, 'x-kubernetes-preserve-unknown-fields': true };
}

function list(items: Schema): Schema {
  return { type: 'array', items };
}

const PROFILE = object({ type: TEXT, localhostProfile: TEXT });

const ANY_SECURITY = {
  runAsUser: NUMBER,
  runAsGroup: NUMBER,
  runAsNonRoot: FLAG,
  seccompProfile: PROFILE,
  appArmorProfile: PROFILE,
  seLinuxOptions: object({ user: TEXT, role: TEXT, type: TEXT, level: TEXT }),
  windowsOptions: object({ hostProcess: FLAG }),
};

const POD_SECURITY = object({
  ...ANY_SECURITY,
  fsGroup: NUMBER,
  supplementalGroups: list(NUMBER),
  sysctls: list(object({ name: TEXT, value: TEXT })),
});

const CONTAINER_SECURITY = object({
  ...ANY_SECURITY,
  privileged: FLAG,
  allowPrivilegeEscalation: FLAG,
  readOnlyRootFilesystem: FLAG,
  procMount: TEXT,
  capabilities: object({ add: list(TEXT), drop: list(TEXT) }),
});

const HANDLER = { httpGet: object({ host: TEXT }), tcpSocket: object({ host: TEXT }) };
const PROBE = object(HANDLER);

const CONTAINER = object({
  name: TEXT,
  securityContext: CONTAINER_SECURITY,
  ports: list(object({ hostPort: NUMBER, containerPort: NUMBER })),
  volumeMounts: list(object({ name: TEXT, mountPath: TEXT, readOnly: FLAG })),
  livenessProbe: PROBE,
  readinessProbe: PROBE,
  startupProbe: PROBE,
  lifecycle: object({ postStart: object(HANDLER), preStop: object(HANDLER) }),
});

const POD_SPEC = object(
  {
    containers: list(CONTAINER),
    initContainers: list(CONTAINER),
    ephemeralContainers: list(CONTAINER),
    volumes: list(
      object({
        name: TEXT,
        hostPath: object({ path: TEXT }),
        csi: object({ driver: TEXT }),
        flexVolume: object({ driver: TEXT }),
      }),
    ),
    securityContext: POD_SECURITY,
    serviceAccountName: TEXT,
    serviceAccount: TEXT,
    hostNetwork: FLAG,
    hostPID: FLAG,
    hostIPC: FLAG,
    hostUsers: FLAG,
    os: object({ name: TEXT }),
    runtimeClassName: TEXT,
  },
  ['containers'],
);

const POD = object({ metadata: object({}), spec: POD_SPEC }, ['spec']);

/** By kind, as they are met. */
const SCHEMAS = new Map<string, Schema>();

/**
 * What is wrong with the pod, or the template, in an object of this kind.
 * @param textOf a scalar as its file has it
 */
export function podProblems(value: unknown, kind: string, textOf?: Hinting['textOf']): Problem[] {
  const schema = SCHEMAS.get(kind) ?? around(templatePath(kind));
  SCHEMAS.set(kind, schema);
  return withTypeHints(schemaProblems(value, schema), value, schema, { textOf });
}

/** The same of a pod that was found in an object of another kind. */
export function podProblemsIn(pod: unknown): Problem[] {
  return schemaProblems(pod, POD);
}

/** The schema of an object that has a pod at this path. */
function around(path: FieldPath): Schema {
  return path.reduceRight<Schema>((inner, key) => object({ [key]: inner }, [String(key)]), POD);
}
