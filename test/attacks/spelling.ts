/** Attempts to get more rights through the spelling of a value. */
import type { Json } from '../../hack/controlplane/api.ts';
import { baselinePod, restrictedPod } from '../support/pod-manifests.ts';
import { type Attack, admitted, create, createText, invalid, refusedBy } from './attack.ts';
import { pod } from './settings.ts';

function hostPathPod(path: string, ...mounts: object[]): Json {
  return pod({
    volumes: [{ name: 'host', hostPath: { path } }],
    containers: [
      { name: 'main', image: 'example.org/app', volumeMounts: mounts.map((mount) => ({ name: 'host', ...mount })) },
    ],
  });
}

const READ = { mountPath: '/read', readOnly: true };
const WRITE = { mountPath: '/write' };

/** Returns the JSON of a pod with the given fields. The rest of the pod does not matter. */
function text(containerFields: string, podFields = ''): string {
  return `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"NAME"},"spec":{${podFields}"containers":[{"name":"main","image":"example.org/app"${containerFields}}]}}`;
}

export const SPELLING: readonly Attack[] = [
  ...[
    ['all'],
    ['ALL'],
    ['CAP_NET_RAW'],
    ['cap_net_raw'],
    ['net_raw'],
    [' NET_RAW'],
    ['NET_RAW '],
    ['NET_RAW\u0000'],
    ['NET_RAW,SYS_ADMIN'],
    ['NET_RAW', 'SYS_ADMIN', 'NET_RAW'],
    [''],
    ['\u202eNET_RAW'],
    ['ΝET_RAW'],
    ['38'],
    ['*'],
  ].map(
    (add): Attack => ({
      attempt: `adds the capabilities ${JSON.stringify(add)} where NET_RAW is allowed`,
      setting: 'narrow',
      steps: [create(restrictedPod({ add }))],
      expect: refusedBy('narrow', /capabilities/),
    }),
  ),
  {
    attempt: 'adds an allowed capability twice',
    setting: 'narrow',
    steps: [create(restrictedPod({ add: ['NET_RAW', 'NET_RAW'] }))],
    expect: admitted('it is allowed'),
  },
  ...[['all'], ['CAP_ALL'], ['All'], ['ALL '], ['*'], []].map((drop): Attack => {
    const one = restrictedPod() as Json;
    one.spec.containers[0].securityContext.capabilities = { drop };
    return {
      attempt: `drops ${JSON.stringify(drop)} where ALL must be dropped`,
      setting: 'narrow',
      steps: [create(one)],
      expect: refusedBy('narrow', /must drop/),
    };
  }),
  ...[['all'], ['ALL'], ['CAP_SYS_ADMIN'], ['sys_admin'], ['cap_sys_admin'], ['Sys_Admin']].map(
    (add): Attack => ({
      attempt: `adds ${JSON.stringify(add)} past allowedBounding`,
      setting: 'bounded',
      steps: [create(baselinePod({ add }))],
      expect: refusedBy('bounded', /allowedBounding/),
    }),
  ),
  ...[
    { add: ['ALL'], drop: ['ALL'] },
    { add: ['SYS_ADMIN'], drop: ['SYS_ADMIN'] },
    { add: ['SYS_ADMIN'], drop: ['ALL', 'SYS_ADMIN'] },
  ].map(
    (lists): Attack => ({
      attempt: `adds and drops ${JSON.stringify(lists.drop)} past allowedBounding, which Docker keeps`,
      setting: 'bounded',
      steps: [create(capable(lists))],
      expect: refusedBy('bounded', /allowedBounding/),
    }),
  ),
  ...['ſYS_ADMIN', 'ſys_admin', 'SYS_ADMıN', 'CAP_SYS_ADMıN'].map(
    (name): Attack => ({
      attempt: `adds ${name} past allowedBounding, as Go changes case: U+017F is S, U+0131 is I`,
      setting: 'bounded',
      steps: [create(baselinePod({ add: [name] }))],
      expect: refusedBy('bounded', /names have only the letters A to Z/),
    }),
  ),
  {
    attempt: 'takes back with a prefix what it adds without: drop CAP_SYS_ADMIN, which containerd does not drop',
    setting: 'bounded',
    steps: [create(capable({ add: ['SYS_ADMIN'], drop: ['CAP_SYS_ADMIN'] }))],
    expect: refusedBy('bounded', /allowedBounding/),
  },

  ...['/var/logs', '//var/log', '/var//log', '/VAR/LOG', '/var/log\u0000', '/var', '/', './var/log', '/var/ｌog'].map(
    (path): Attack => ({
      attempt: `mounts the hostPath ${JSON.stringify(path)} where /var/log is allowed`,
      setting: 'patterns',
      steps: [create(hostPathPod(path))],
      expect: refusedBy('patterns', /hostPaths/),
    }),
  ),
  ...['/var/log/..', '/var/log/../../etc', '/var/log/./../x'].map(
    (path): Attack => ({
      attempt: `mounts the hostPath ${JSON.stringify(path)}`,
      setting: 'patterns',
      steps: [create(hostPathPod(path))],
      expect: invalid(/must not contain '\.\.'/),
    }),
  ),
  {
    attempt: 'mounts a hostPath with the ".." of Windows: /var/log\\..\\..\\Windows',
    setting: 'patterns',
    steps: [create(hostPathPod('/var/log/..\\..\\Windows'))],
    expect: admitted('for Linux a backslash is a letter; on Windows the kubelet refuses the path'),
  },
  {
    attempt: 'mounts a read-only hostPath twice, the second time for writing',
    setting: 'patterns',
    steps: [create(hostPathPod('/var/log', READ, WRITE))],
    expect: refusedBy('patterns', /readOnly: true/),
  },
  {
    attempt: 'mounts a folder below a read-only hostPath for writing by subPath',
    setting: 'patterns',
    steps: [create(hostPathPod('/var/log', { ...WRITE, subPath: 'pods' }))],
    expect: refusedBy('patterns', /readOnly: true/),
  },
  {
    attempt: 'names a seccomp profile that leads out of an allowed folder: team/../other',
    setting: 'patterns',
    steps: [
      create(pod({ securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'team/../other' } } })),
    ],
    expect: invalid(/must not contain '\.\.'/),
  },
  ...['Team/a', 'team', ' team/a', 'tеam/a', '/team/a'].map(
    (localhostProfile): Attack => ({
      attempt: `names the AppArmor profile ${JSON.stringify(localhostProfile)} where team/* is allowed`,
      setting: 'patterns',
      steps: [create(pod({ securityContext: { appArmorProfile: { type: 'Localhost', localhostProfile } } }))],
      expect: localhostProfile.startsWith(' ')
        ? invalid(/must not be padded with whitespace/)
        : refusedBy('patterns', /appArmor/),
    }),
  ),
  ...['unconfined', 'localhost/other', 'RUNTIME/DEFAULT', 'unconfined ', '\u200b'].map(
    (value): Attack => ({
      attempt: `sets the AppArmor annotation of its container to ${JSON.stringify(value)}`,
      setting: 'patterns',
      steps: [create(pod({}, { annotations: { 'container.apparmor.security.beta.kubernetes.io/main': value } }))],
      expect: {
        title: 'refused by patterns or the API server',
        verify(answer, scene) {
          if (answer.status === 422) return invalid(/invalid AppArmor profile|apparmor/i).verify(answer, scene);
          refusedBy('patterns', /appArmor/).verify(answer, scene);
        },
      },
    }),
  ),
  ...['container_t ', 'Container_t', 'container_t\u200b', 'spc_t'].map(
    (type): Attack => ({
      attempt: `sets the SELinux type ${JSON.stringify(type)}`,
      setting: 'patterns',
      steps: [create(pod({ securityContext: { seLinuxOptions: { type } } }))],
      expect: refusedBy('patterns', /seLinux/),
    }),
  ),
  ...['kernel/shm_rmid_forced', 'net/core/somaxconn', 'net.ipv4.ip_forward', 'kernel.shm/rmid'].map(
    (name): Attack => ({
      attempt: `sets the sysctl ${name}, not listed by that spelling or at all`,
      setting: 'patterns',
      steps: [create(pod({ securityContext: { sysctls: [{ name, value: '1' }] } }))],
      expect: refusedBy('patterns', /sysctls/),
    }),
  ),

  {
    attempt: 'states privileged twice in the same JSON, the last time true',
    setting: 'narrow',
    steps: [createText(text(',"securityContext":{"privileged":false,"privileged":true}'))],
    expect: refusedBy('narrow', /privileged/),
  },
  {
    attempt: 'states securityContext twice in the same JSON, the last time a harmless one',
    setting: 'patterns',
    steps: [createText(text(',"securityContext":{"privileged":true},"securityContext":{"privileged":false}'))],
    expect: admitted('the API server uses the last one, and its policies see that one', ({ spec }) => {
      if (spec.containers[0].securityContext.privileged !== false) throw new Error('it is privileged');
    }),
  },
  {
    attempt: 'writes field names in other letters: hostpid, HostPID, securitycontext',
    setting: 'patterns',
    steps: [createText(text(',"securitycontext":{"privileged":true}', '"hostpid":true,"HostPID":true,'))],
    expect: admitted('the API server drops unknown fields', ({ spec }) => {
      if (spec.hostPID || spec.containers[0].securityContext) throw new Error(JSON.stringify(spec));
    }),
  },
  ...['0', '-0'].map(
    (id): Attack => ({
      attempt: `writes user 0 as ${id}`,
      setting: 'older',
      steps: [createText(text(`,"securityContext":{"runAsUser":${id}}`))],
      expect: refusedBy('older', /runAsUser/),
    }),
  ),
  ...['0.0', '0e0', '1e3', '"0"', '4294967296', '18446744073709551616', '-1'].map(
    (id): Attack => ({
      attempt: `writes user 0 as ${id}`,
      setting: 'older',
      steps: [createText(text(`,"securityContext":{"runAsUser":${id}}`))],
      expect: invalid(/runAsUser/),
    }),
  ),
];

function capable(capabilities: object): Json {
  return pod({ containers: [{ name: 'main', image: 'example.org/app', securityContext: { capabilities } }] });
}
