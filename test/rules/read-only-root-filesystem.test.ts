import { app, ephemeral, init, pod, secured, WINDOWS } from '../support/pods.ts';
import { describeRule } from './table.ts';

const TRUE = secured({ readOnlyRootFilesystem: true });
const FALSE = secured({ readOnlyRootFilesystem: false });
const MESSAGE = 'must set securityContext.readOnlyRootFilesystem=true';
const any = { false: app(FALSE), 'an unset field': pod() };

describeRule('readOnlyRootFilesystem', [
  { level: 'restricted', admits: any },
  { level: 'restricted', overrides: { readOnlyRootFilesystem: false }, admits: any },
  {
    level: 'baseline',
    overrides: { readOnlyRootFilesystem: true },
    admits: { true: init(TRUE, TRUE), 'a pod for Windows, which cannot set it': pod(WINDOWS) },
    refuses: {
      false: [app(FALSE), `container "app" ${MESSAGE}`],
      'an unset field': [pod(), `container "app" ${MESSAGE}`],
      'an init container': [init(FALSE, TRUE), `container "init" ${MESSAGE}`],
      'an ephemeral container': [ephemeral({}, TRUE), `container "debug" ${MESSAGE}`],
    },
  },
]);
