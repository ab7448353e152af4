import { withTokenVolume } from '../../analysis/manifests/token-volume.ts';
import { ephemeral, pod, WINDOWS } from '../support/pods.ts';
import { describeRule } from './table.ts';

const TOKEN = { serviceAccountToken: { path: 'token' } };
const projected = (...sources: object[]) => ({ volumes: [{ name: 'data', projected: { sources } }] });
const refused = (name: string) => `volume "${name}" must not have a token of the service account`;
const ADDED = `${refused(
  'kube-api-access',
)}; the API server adds it: set automountServiceAccountToken: false on the pod or on its service account`;

describeRule('serviceAccountToken', [
  {
    level: 'restricted',
    admits: {
      'the token that the API server adds': withTokenVolume(pod(), true),
      'one by hand': pod(projected(TOKEN)),
    },
  },
  {
    level: 'restricted',
    overrides: { serviceAccountToken: 'Allowed' },
    admits: { 'one by hand': pod(projected(TOKEN)) },
  },
  {
    level: 'privileged',
    overrides: { serviceAccountToken: 'Forbidden' },
    admits: {
      'a pod without volumes': pod(),
      'a pod that wants none': withTokenVolume(pod({ automountServiceAccountToken: false })),
      'other projected sources': pod(projected({ configMap: { name: 'a' } }, { secret: { name: 'b' } })),
      'a projected volume without sources': pod(projected()),
      'a volume that only has the name': pod({ volumes: [{ name: 'kube-api-access-abcde', emptyDir: {} }] }),
      'an ephemeral container': ephemeral({}),
    },
    refuses: {
      'the token that the API server adds': [withTokenVolume(pod(), true), ADDED],
      'a pod that asks for it': [withTokenVolume(pod({ automountServiceAccountToken: true })), ADDED],
      'one by hand': [pod(projected(TOKEN)), refused('data')],
      'one for another audience': [
        pod(projected({ serviceAccountToken: { path: 'x', audience: 'vault', expirationSeconds: 600 } })),
        refused('data'),
      ],
      'one after other sources': [pod(projected({ configMap: { name: 'a' } }, TOKEN)), refused('data')],
      'one beside automountServiceAccountToken: false': [
        withTokenVolume(pod({ ...projected(TOKEN), automountServiceAccountToken: false })),
        refused('data'),
      ],
      'one on Windows': [pod({ ...WINDOWS, ...projected(TOKEN) }), refused('data')],
      'a pod with it that gets an ephemeral container': [
        pod({ ...projected(TOKEN), ephemeralContainers: [{ name: 'debug' }] }),
        refused('data'),
      ],
    },
  },
  {
    level: 'restricted',
    overrides: { volumes: ['emptyDir'], serviceAccountTokenVolumes: true, serviceAccountToken: 'Forbidden' },
    admits: { 'an emptyDir': pod({ volumes: [{ name: 'data', emptyDir: {} }] }) },
    refuses: { 'the token that volumes admits': [withTokenVolume(pod(), true), ADDED] },
  },
]);
