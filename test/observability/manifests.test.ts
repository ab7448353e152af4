/**
 * Tests that the alerts, the dashboard and the runbook agree with each other. The tool promtool checks the alerts, too.
 * The tests need no metrics.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dump, load } from 'js-yaml';
import { Registry } from 'prom-client';
import { exportPolicies } from '../../operator/report/policy-metrics.ts';
import { describeWith } from '../support/needs.ts';
import { readPage } from '../support/page.ts';
import { CONFIG, manifestsIn } from '../support/rights.ts';
import { alerts, dashboard, type Panel, queries, ruleFile, selectorsIn, variablesIn } from './dashboard.ts';

const PLAYED = ['alerts.yaml', 'alerts-of-days.yaml'] as const;
const RUNBOOK = 'docs/runbook.md';
const RUNBOOK_URL = `https://github.com/capabilitypolicy/capabilitypolicy/blob/main/${RUNBOOK}`;
/** Grafana's own variables that a query may use. */
const BUILT_IN = ['__rate_interval', '__all'];
/**
 * The units that the dashboard may use. The list of units in Grafana has all of these units (@grafana/data,
 * valueFormats/categories.ts).
 */
const UNITS = ['short', 's', 'bytes', 'ops', 'reqps', 'bool_yes_no'];
const COLUMNS = 24;

interface Played {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { readonly alertname: string; readonly exp_alerts: readonly unknown[] }[];
  }[];
}

describe('the alerts', () => {
  for (const { alert, labels, annotations, for: duration } of alerts()) {
    describe(alert, () => {
      it('the alert has a severity, a summary, a description, and a waiting time in minutes', () => {
        assert.ok(['warning', 'critical'].includes(labels.severity ?? ''));
        assert.match(annotations.summary ?? '', /^\S.*\.$/);
        assert.ok((annotations.description ?? '').length > 40);
        assert.match(duration, /^\d+m$/);
      });

      it('the runbook has a section about the alert, with the parts Means, Look and Do', () => {
        const anchor = alert.toLowerCase();
        assert.equal(annotations.runbook_url, `${RUNBOOK_URL}#${anchor}`);
        assert.ok(readPage(RUNBOOK).anchors.has(anchor));
        const parts = [...sectionOf(alert).matchAll(/^\*\*(Means|Look|Do)\b/gm)].map(([, part]) => part);
        assert.deepEqual(parts, ['Means', 'Look', 'Do']);
        assert.ok(readPage(RUNBOOK).blocks.some(({ section, info }) => section === alert && info[0] === 'sh'));
      });

      it('is tested, firing and not', () => {
        const files = PLAYED.map((file) => load(readFileSync(join(import.meta.dirname, file), 'utf8')) as Played);
        const plays = files
          .flatMap(({ tests }) => tests)
          .flatMap((one) => one.alert_rule_test)
          .filter(({ alertname }) => alertname === alert);
        assert.ok(plays.some(({ exp_alerts }) => exp_alerts.length > 0));
        assert.ok(plays.some(({ exp_alerts }) => exp_alerts.length === 0));
      });
    });
  }

  it('are exactly those in the runbook', () => {
    const sections = readFileSync(join(CONFIG, '..', RUNBOOK), 'utf8').matchAll(/^## (CapabilityPolicy\w+)$/gm);
    assert.deepEqual(
      [...sections].map(([, name]) => name),
      alerts().map(({ alert }) => alert),
    );
  });

  describeWith({ programs: { promtool: 'apt-get install prometheus' } }, 'by promtool', () => {
    const folder = mkdtempSync(join(tmpdir(), 'capabilitypolicy-alerts-'));

    before(() => {
      writeFileSync(join(folder, 'rules.yaml'), dump(ruleFile()));
      for (const file of PLAYED) copyFileSync(join(import.meta.dirname, file), join(folder, file));
    });

    after(() => rmSync(folder, { recursive: true }));

    const promtool = (...args: string[]) => execFileSync('promtool', args, { cwd: folder, stdio: 'pipe' });

    it('are well-formed', () => {
      promtool('check', 'rules', '--lint=all', '--lint-fatal', 'rules.yaml');
    });

    it('the alerts fire at the expected times, and at no other time', () => {
      promtool('test', 'rules', ...PLAYED);
    });
  });
});

describe('the ServiceMonitor', () => {
  it("finds the Service of the operator's metrics", () => {
    const manifests = manifestsIn(join(CONFIG, 'prometheus')) as unknown as Monitor[];
    const monitor = manifests.find(({ kind }) => kind === 'ServiceMonitor');
    const service = load(readFileSync(join(CONFIG, 'manager', 'metrics_service.yaml'), 'utf8')) as Service;
    assert.equal(monitor?.metadata.namespace, service.metadata.namespace);
    assert.partialDeepStrictEqual(service.metadata.labels, monitor?.spec.selector.matchLabels);
    assert.deepEqual(
      monitor?.spec.endpoints.map(({ port }) => port),
      service.spec.ports.map(({ name }) => name),
    );
  });
});

describe('the dashboard', () => {
  const { panels, templating, ...about } = dashboard();
  const shown = panels.filter(({ type }) => type !== 'row');

  it('has a unique id, a title, and a schema that Grafana 10 and newer read', () => {
    assert.match(about.uid, /^[\w-]{1,40}$/);
    assert.ok(about.title !== '' && about.schemaVersion >= 38);
  });

  it('has no overlapping panels, and all panels fit into the width of the grid', () => {
    for (const { title, gridPos } of panels) {
      assert.ok(gridPos.w > 0 && gridPos.h > 0 && gridPos.x >= 0 && gridPos.x + gridPos.w <= COLUMNS, title);
    }
    const overlaps = panels.flatMap((a, i) =>
      panels
        .slice(i + 1)
        .filter((b) => overlap(a, b))
        .map((b) => [a.title, b.title]),
    );
    assert.deepEqual(overlaps, []);
  });

  it('has no gap in a row of panels', () => {
    const lowest = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
    for (let y = 0; y < lowest; y++) {
      const covered = panels.filter(({ gridPos }) => gridPos.y <= y && y < gridPos.y + gridPos.h);
      assert.equal(
        covered.reduce((sum, { gridPos }) => sum + gridPos.w, 0),
        COLUMNS,
        `row ${y}`,
      );
    }
  });

  it('each panel has its own id, and each query of a panel has its own letter', () => {
    const ids = panels.map(({ id }) => id);
    assert.deepEqual(ids, [...new Set(ids)]);
    for (const { title, targets = [] } of shown) {
      assert.deepEqual(
        targets.map(({ refId }) => refId),
        [...'ABCDEFGH'].slice(0, targets.length),
        title,
      );
    }
  });

  for (const panel of shown) {
    it(`has a description and a unit for ${panel.title}`, () => {
      assert.match(panel.description ?? '', /^\S.{14,}$/);
      assert.ok(UNITS.includes(panel.fieldConfig?.defaults.unit ?? ''), panel.fieldConfig?.defaults.unit);
      assert.ok((panel.targets ?? []).length > 0);
    });
  }

  it('the queries use the chosen data source, and use exactly the variables of the dashboard', () => {
    const names = templating.list.map(({ name }) => name);
    const used = new Set<string>();
    for (const { panel, target } of queries()) {
      for (const { type, uid } of [target.datasource, panel.datasource ?? target.datasource]) {
        assert.deepEqual([type, variablesIn(uid)], ['prometheus', ['datasource']]);
      }
      for (const name of variablesIn(target.expr)) used.add(name);
    }
    const unknown = [...used].filter((name) => !names.includes(name) && !BUILT_IN.includes(name));
    assert.deepEqual(unknown, []);
    assert.deepEqual(
      names.filter((name) => name !== 'datasource' && !used.has(name)),
      [],
    );
  });

  it('shows each metric of policies', async () => {
    const registry = new Registry();
    exportPolicies(registry, { policies: () => [], pods: () => [], workloads: () => [] }, new Map());
    const exported = (await registry.getMetricsAsJSON()).map(({ name }) => name);
    const selected = queries().flatMap(({ target }) => selectorsIn(target.expr));
    assert.deepEqual(
      exported.filter((name) => !selected.some((selector) => selector.startsWith(name))),
      [],
    );
  });

  it("if other programs have the same metric, the query selects only the operator's job", () => {
    const shared = queries().flatMap(({ target }) =>
      selectorsIn(target.expr).filter((one) => !one.startsWith('capabilitypolicy_')),
    );
    assert.ok(shared.length > 5);
    assert.deepEqual(
      shared.filter((selector) => !selector.includes('job=~"$job"')),
      [],
    );
  });
});

describe('selectorsIn', () => {
  const cases: [expr: string, selectors: string[]][] = [
    ['up', ['up']],
    ['sum(rate(a_total{x="y(z)", w=~"$v"}[5m])) by (le)', ['a_total{x="y(z)", w=~"$v"}']],
    ['max by (policy) (a{b="c"} offset 1h) > bool 2e3 or vector(0)', ['a{b="c"}']],
    ['histogram_quantile(0.99, sum by (le) (a_bucket)) / on (x) group_left (y) b', ['a_bucket', 'b']],
    ['label_replace(a, "x", "b", "c", "d") unless b', ['a', 'b']],
  ];
  for (const [expr, selectors] of cases) it(expr, () => assert.deepEqual(selectorsIn(expr), selectors));
});

interface Monitor {
  readonly kind: string;
  readonly metadata: { readonly namespace: string };
  readonly spec: {
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly endpoints: readonly { readonly port: string }[];
  };
}

interface Service {
  readonly metadata: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly ports: readonly { readonly name: string }[] };
}

function overlap({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

function sectionOf(heading: string): string {
  const parts = readFileSync(join(CONFIG, '..', RUNBOOK), 'utf8').split(/^## /m);
  return parts.find((part) => part.startsWith(`${heading}\n`)) ?? '';
}
