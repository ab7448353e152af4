import { ephemeral, pod, WINDOWS } from '../support/pods.ts';
import { describeRule } from './table.ts';

const policy = (supplementalGroupsPolicy: string) => pod({ securityContext: { supplementalGroupsPolicy } });
const REFUSED = 'pod must set securityContext.supplementalGroupsPolicy=Strict';

describeRule('supplementalGroups.policy', [
  { level: 'restricted', admits: { 'an unset field': pod(), Merge: policy('Merge') } },
  {
    level: 'restricted',
    overrides: { supplementalGroups: { rule: 'MayRunAs', ranges: [{ min: 1, max: 2 }] } },
    admits: { 'an unset field beside a rule for IDs': pod() },
  },
  {
    level: 'baseline',
    overrides: { supplementalGroups: { policy: 'Strict' } },
    admits: {
      Strict: policy('Strict'),
      'any groups beside it': pod({ securityContext: { supplementalGroupsPolicy: 'Strict', supplementalGroups: [0] } }),
      'a pod for Windows, which cannot set it': pod(WINDOWS),
    },
    refuses: {
      'an unset field': [pod(), REFUSED],
      'another field of the securityContext': [pod({ securityContext: { supplementalGroups: [1] } }), REFUSED],
      Merge: [policy('Merge'), REFUSED],
      'a future policy': [policy('Other'), REFUSED],
      'small letters': [policy('strict'), REFUSED],
      'a pod that gets an ephemeral container': [ephemeral({}), REFUSED],
    },
  },
  {
    level: 'restricted',
    overrides: { supplementalGroups: { rule: 'MustRunAs', ranges: [{ min: 1, max: 2 }], policy: 'Strict' } },
    admits: {
      'Strict, whatever the groups, which another rule reads': policy('Strict'),
    },
    refuses: {
      'groups in the ranges without it': [pod({ securityContext: { supplementalGroups: [1] } }), REFUSED],
    },
  },
]);
