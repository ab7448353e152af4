/** Tests the names of capabilities and rules in the forms that users type. */
import assert from 'node:assert/strict';
import { namesNear, topicOf } from '../../analysis/explain/topic.ts';
import { RULES } from '../../operator/rules/index.ts';
import { CAPABILITIES } from '../../operator/standards/capabilities.ts';

describe('the names that explain takes', () => {
  const NAMES: Readonly<Record<string, string>> = {
    NET_RAW: 'NET_RAW',
    CAP_NET_RAW: 'NET_RAW',
    cap_net_raw: 'NET_RAW',
    hostNetwork: 'hostNetwork',
    HOSTNETWORK: 'hostNetwork',
    hostPath: 'hostPaths',
    hostPaths: 'hostPaths',
    volume: 'volumes',
    runtimeClass: 'runtimeClasses',
    privileged: 'privileged',
    capabilities: 'capabilities',
    'capabilities.allowedBounding': 'capabilities.allowedBounding',
  };
  for (const [typed, name] of Object.entries(NAMES)) {
    it(`${typed} is ${name}`, () => {
      assert.equal(topicOf(typed)?.name, name);
    });
  }

  const UNKNOWN: Readonly<Record<string, readonly string[]>> = {
    NET_RWA: ['NET_RAW'],
    CAP_SYSADMIN: ['SYS_ADMIN'],
    hostNetwrk: ['hostNetwork'],
    runAsRoot: ['runAsNonRoot', 'runAsGroup'],
    bounding: ['capabilities.allowedBounding'],
    ptrace: ['SYS_PTRACE'],
    LOREM_IPSUM: [],
    constructor: [],
    '': [],
  };
  for (const [typed, near] of Object.entries(UNKNOWN)) {
    it(`${JSON.stringify(typed)} is none; near it: ${near.join(', ') || 'nothing'}`, () => {
      assert.equal(topicOf(typed), undefined);
      assert.deepEqual(namesNear(typed), near);
    });
  }

  it('explain finds every capability and every rule by a unique name', () => {
    const names = [...CAPABILITIES, ...RULES.map(({ id }) => id)];
    assert.deepEqual(
      names.map((name) => topicOf(name)?.name),
      names,
    );
    assert.equal(new Set(names.map((name) => name.toLowerCase())).size, names.length);
  });
});
