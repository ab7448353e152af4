/** Attempts to change objects that are already admitted. */
import type { Json } from '../../hack/controlplane/api.ts';
import { ADMINISTRATOR, ADMITTED, eventually } from '../support/harness.ts';
import { podManifest, restrictedPod } from '../support/pod-manifests.ts';
import { NAMESPACES } from '../support/rendered.ts';
import {
  type Attack,
  admitted,
  ask,
  create,
  debug,
  invalid,
  POD,
  PODS,
  patchPod,
  putPod,
  refused,
  refusedBy,
  type Step,
} from './attack.ts';
import { RESTRICTED, restrictedContainer } from './settings.ts';

const APPLY = 'application/apply-patch+yaml';
const JSON_PATCH = 'application/json-patch+json';
const MIRROR = 'kubernetes.io/config.mirror';
const APP_ARMOR = 'container.apparmor.security.beta.kubernetes.io/main';
const BAD = { securityContext: { privileged: true } };

const created = create(restrictedPod());
const notChanged = invalid(/may not change fields|Forbidden|may not update|may not be|immutable/);

function binding(annotations: object, path = `${POD}/binding`): Attack['steps'][number] {
  return (scene) => {
    const target = { apiVersion: 'v1', kind: 'Node', name: 'node' };
    const metadata = { name: scene.pod, annotations };
    return ask(
      'POST',
      path,
      { apiVersion: 'v1', kind: 'Binding', metadata, target },
      { query: { dryRun: 'All' } },
    )(scene);
  };
}

/** An ephemeral container that adds NET_ADMIN. */
function withImage(image: string): object {
  const pod = restrictedPod({ add: ['NET_ADMIN'] }) as Json;
  pod.spec.containers[0].image = image;
  return pod;
}

/** Deletes a policy, and waits until the pod is refused. */
function deletes(policy: string, pod: object): Step {
  return async ({ cluster, namespace }) => {
    await cluster.deletePolicy(cluster.named(policy));
    await eventually('its end', async () => (await cluster.admit(pod, namespace)) !== ADMITTED);
    return cluster.api.ask('GET', `${NAMESPACES}/${namespace}`);
  };
}

export const EXISTING: readonly Attack[] = [
  ...(
    [
      ['becomes privileged', { privileged: true }],
      ['adds SYS_ADMIN', { capabilities: { add: ['SYS_ADMIN'] } }],
      ['drops its securityContext', undefined],
    ] as const
  ).map(
    ([what, securityContext]): Attack => ({
      attempt: `changes the image of a running container, and ${what} with it`,
      setting: 'narrow',
      steps: [
        created,
        putPod(({ spec }) => {
          spec.containers[0].image = 'example.org/app:2';
          spec.containers[0].securityContext = securityContext;
        }),
      ],
      expect: notChanged,
    }),
  ),
  {
    attempt: 'changes the image of a running container alone',
    setting: 'narrow',
    steps: [
      created,
      putPod(({ spec }) => {
        spec.containers[0].image = 'example.org/app:2';
      }),
    ],
    expect: admitted('no rule checks images'),
  },
  ...(
    [
      ['example.org/proxy:2', admitted('its exception lists that image')],
      ['example.org/shell:1', refusedBy('named', /container "main" must not add capability NET_ADMIN/)],
    ] as const
  ).map(
    ([image, expect]): Attack => ({
      attempt: `changes the image of a container to ${image}, which has an exception for example.org/proxy:*`,
      setting: 'named',
      steps: [
        create(withImage('example.org/proxy:1')),
        putPod(({ spec }) => {
          spec.containers[0].image = image;
        }),
      ],
      expect,
    }),
  ),
  {
    attempt: 'changes the image of a container when the exception that lists its image has been deleted',
    setting: 'ended',
    steps: [
      create(withImage('example.org/proxy:1')),
      deletes('proxies', withImage('example.org/proxy:1')),
      putPod(({ spec }) => {
        spec.containers[0].image = 'example.org/proxy:2';
      }),
    ],
    expect: refusedBy('ended', /container "main" must not add capability NET_ADMIN/),
  },
  ...(
    [
      [
        'violates it',
        'privileged',
        refusedBy('narrow', /container "\S+" must not set securityContext.privileged=true/),
      ],
      ['complies', 'good', admitted('no rule checks images')],
    ] as const
  ).map(
    ([what, pod, expect]): Attack => ({
      attempt: `changes the image of a pod that is older than the policy and ${what}`,
      setting: 'narrow',
      steps: [patchPod({ spec: { containers: [{ name: 'main', image: 'example.org/app:2' }] } }, '', { pod })],
      expect,
    }),
  ),
  {
    attempt: 'changes a pod that is gated from scheduling',
    setting: 'narrow',
    steps: [
      create(gated()),
      putPod(({ spec }) => {
        spec.schedulingGates = [];
        spec.hostPID = true;
      }),
    ],
    expect: notChanged,
  },
  {
    attempt: 'adds an init container to a running pod',
    setting: 'narrow',
    steps: [
      created,
      putPod(({ spec }) => {
        spec.initContainers = [{ name: 'late', image: 'example.org/app', ...BAD }];
      }),
    ],
    expect: invalid(/may not add or remove containers/),
  },
  ...['/status', '/resize', '/ephemeralcontainers'].map(
    (subresource): Attack => ({
      attempt: `changes spec.hostPID and securityContext by ${subresource}`,
      setting: 'narrow',
      needs: subresource === '/resize' ? 'podResize' : undefined,
      steps: [
        created,
        patchPod(
          { spec: { hostPID: true, containers: [{ name: 'main', securityContext: { privileged: true } }] } },
          subresource as '/status',
        ),
      ],
      expect: {
        title: 'has no effect',
        verify: ({ status, body }) => {
          const { hostPID, containers: [{ securityContext }] = [{}] } = body.spec ?? {};
          const same = status === 200 && !hostPID && !securityContext.privileged;
          if (!same && status !== 422) throw new Error(`${status} ${JSON.stringify(body.spec ?? body.message)}`);
        },
      },
    }),
  ),

  {
    attempt: 'adds a privileged ephemeral container by a JSON patch',
    setting: 'narrow',
    steps: [
      created,
      ask(
        'PATCH',
        `${POD}/ephemeralcontainers`,
        [
          {
            op: 'add',
            path: '/spec/ephemeralContainers',
            value: [{ name: 'late', image: 'example.org/debug', ...BAD }],
          },
          { op: 'add', path: '/spec/hostPID', value: true },
        ],
        { contentType: JSON_PATCH },
      ),
    ],
    expect: refusedBy('narrow', /container "late" [^|]*privileged/),
  },
  {
    attempt: 'adds a privileged ephemeral container by server-side apply',
    setting: 'narrow',
    steps: [
      created,
      (scene) =>
        ask(
          'PATCH',
          `${POD}/ephemeralcontainers`,
          podManifest(
            { name: scene.pod },
            { ephemeralContainers: [{ name: 'late', image: 'example.org/debug', ...BAD }] },
          ),
          { contentType: APPLY, query: { fieldManager: 'capabilitypolicy.dev', force: true } },
        )(scene),
    ],
    expect: refusedBy('narrow', /container "late" [^|]*privileged/),
  },
  {
    attempt: 'adds a good and a bad ephemeral container at once',
    setting: 'narrow',
    steps: [
      created,
      patchPod(
        { spec: { ephemeralContainers: [restrictedContainer('good'), { ...restrictedContainer('bad'), ...BAD }] } },
        '/ephemeralcontainers',
      ),
    ],
    expect: refusedBy('narrow', /container "bad" [^|]*privileged/),
  },
  {
    attempt: 'makes a good ephemeral container bad afterwards',
    setting: 'narrow',
    steps: [
      created,
      debug({ securityContext: RESTRICTED }),
      putPod(({ spec }) => {
        Object.assign(spec.ephemeralContainers[0], BAD);
      }, '/ephemeralcontainers'),
    ],
    expect: invalid(/may not be changed/),
  },
  {
    attempt: 'replaces a good ephemeral container by a bad one of another name',
    setting: 'narrow',
    steps: [
      created,
      debug({ securityContext: RESTRICTED }),
      putPod(({ spec }) => {
        spec.ephemeralContainers = [{ name: 'late', image: 'example.org/debug', ...BAD }];
      }, '/ephemeralcontainers'),
    ],
    expect: invalid(/may not be removed/),
  },
  {
    attempt: 'names an ephemeral container like a container that was admitted',
    setting: 'narrow',
    steps: [created, debug({ name: 'main', ...BAD })],
    expect: invalid(/Duplicate value: "main"/),
  },
  {
    attempt: 'replaces the list of ephemeral containers by a strategic merge patch',
    setting: 'narrow',
    steps: [
      created,
      debug({ securityContext: RESTRICTED }),
      patchPod(
        {
          spec: { ephemeralContainers: [{ name: 'late', image: 'example.org/debug', ...BAD }, { $patch: 'replace' }] },
        },
        '/ephemeralcontainers',
      ),
    ],
    expect: {
      title: 'refused by narrow or the API server',
      verify: (answer, scene) =>
        answer.status === 422
          ? invalid(/may not be removed/).verify(answer, scene)
          : refusedBy('narrow', /privileged/).verify(answer, scene),
    },
  },
  {
    attempt: 'adds SYS_ADMIN by a resize',
    setting: 'narrow',
    needs: 'podResize',
    steps: [
      created,
      ask(
        'PATCH',
        `${POD}/resize`,
        [{ op: 'add', path: '/spec/containers/0/securityContext/capabilities/add', value: ['SYS_ADMIN'] }],
        { contentType: JSON_PATCH },
      ),
    ],
    expect: {
      title: 'has no effect',
      verify: ({ status, body }) => {
        const { add } = body.spec?.containers?.[0]?.securityContext?.capabilities ?? {};
        if (status === 200 ? add !== undefined : status !== 422) throw new Error(`${status} ${JSON.stringify(add)}`);
      },
    },
  },
  {
    attempt: 'adds a bad ephemeral container as cluster administrator',
    setting: 'narrow',
    steps: [created, debug(BAD, { as: ADMINISTRATOR })],
    expect: refusedBy('narrow', /privileged/),
  },

  ...[{ [APP_ARMOR]: 'unconfined' }, { [MIRROR]: 'hash' }].flatMap((annotations): Attack[] => {
    const [key = ''] = Object.keys(annotations);
    return [
      ...[`${POD}/binding`, PODS.replace(/pods$/, 'bindings')].map(
        (path): Attack => ({
          attempt: `carries ${key} onto an admitted pod by its Binding, POST ${path.replace(/.*NAMESPACE/, '…')}`,
          setting: 'narrow',
          steps: [created, binding(annotations, path)],
          expect: refused('the guard', /CapabilityPolicy: a binding must not carry annotations/, [403]),
        }),
      ),
      ...(['', '/status'] as const).map(
        (subresource): Attack => ({
          attempt: `sets ${key} on an admitted pod by a patch of pods${subresource}`,
          setting: 'narrow',
          steps: [created, patchPod({ metadata: { annotations } }, subresource)],
          expect: invalid(/Forbidden|may not|annotations/),
        }),
      ),
    ];
  }),
  {
    attempt: 'binds a pod with other annotations',
    setting: 'narrow',
    steps: [created, binding({ 'example.org/why': 'test' })],
    expect: admitted('they decide nothing'),
  },
  {
    attempt: 'sets an AppArmor annotation for a later ephemeral container',
    setting: 'narrow',
    steps: [create(annotated({ 'container.apparmor.security.beta.kubernetes.io/late': 'unconfined' }))],
    expect: {
      title: 'refused by narrow or the API server',
      verify: (answer, scene) =>
        answer.status === 422 ? undefined : refusedBy('narrow', /appArmor/).verify(answer, scene),
    },
  },
];

function gated(): Json {
  const one = restrictedPod() as Json;
  one.spec.schedulingGates = [{ name: 'example.org/gate' }];
  return one;
}

function annotated(annotations: object): Json {
  const one = restrictedPod() as Json;
  one.metadata = { annotations };
  return one;
}
