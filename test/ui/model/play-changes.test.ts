import assert from 'node:assert/strict';
import { changesText, selectionText } from '../../../ui/model/play-changes.ts';

const NONE = {
  ...{ workloads: 12, newlyRefused: 0, perhapsRefused: 0, newlyAdmitted: 0, reportedOtherwise: 0, unchanged: 12 },
  ...{ namespaces: 5, safeToEnforce: 0, candidateNamespaces: 0, changed: 0 },
};

describe('sentences about the changes that new policies would make', () => {
  it('name only what changes', () => {
    assert.equal(changesText(NONE), 'Nothing changes for the 12 workloads of the cluster.');
    const some = { ...NONE, newlyRefused: 1, reportedOtherwise: 2, unchanged: 9 };
    assert.equal(
      changesText(some),
      '12 workloads: 1 newly refused, 2 with other warnings or audit annotations, 9 unchanged.',
    );
  });

  it('the sentences say where the policies apply, and where all workloads comply', () => {
    assert.equal(selectionText(['ping'], NONE), 'ping selects no namespace of the cluster.');
    assert.equal(
      selectionText(['ping'], { ...NONE, candidateNamespaces: 4, safeToEnforce: 3 }),
      'ping selects 4 namespaces. In 3 of them, nothing that runs violates it.',
    );
    assert.equal(
      selectionText(['ping'], { ...NONE, candidateNamespaces: 4 }),
      'ping selects 4 namespaces. Something that runs violates it in each of them.',
    );
    assert.equal(
      selectionText(['a', 'b'], { ...NONE, candidateNamespaces: 1, safeToEnforce: 1 }),
      'a, b select 1 namespace. Nothing that runs there violates them.',
    );
  });
});
