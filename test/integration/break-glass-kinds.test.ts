/** Tests break glass, as in break-glass.test.ts, on the remaining kinds of policies. */
import { CORE_KINDS, KINDS, useBreakGlass } from '../support/break-glass.ts';

describe('break glass on every other kind of policy', function () {
  this.timeout(300_000);
  const { itOpensAndRestores } = useBreakGlass('glass-kinds');

  for (const kind of Object.keys(KINDS)) if (!CORE_KINDS.includes(kind)) itOpensAndRestores(kind);
});
