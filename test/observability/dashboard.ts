/** Reads the Grafana dashboard and the alerts for tests. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { CONFIG } from '../support/rights.ts';

interface GridPosition {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly datasource: Datasource;
}

interface Datasource {
  readonly type: string;
  readonly uid: string;
}

export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: GridPosition;
  readonly datasource?: Datasource;
  readonly targets?: readonly Target[];
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
}

interface Variable {
  readonly name: string;
  readonly type: string;
  /** The query for the values of the variable, if the values come from Prometheus. */
  readonly definition?: string;
}

interface Dashboard {
  readonly uid: string;
  readonly title: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

export interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A file of rules in Prometheus' own form. The Prometheus Operator generates such files. */
export interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Alert[] }[];
}

export function dashboard(): Dashboard {
  return JSON.parse(readFileSync(join(CONFIG, 'grafana', 'capabilitypolicy.json'), 'utf8'));
}

/** All queries of the dashboard. Each query is listed with its panel. */
export function queries(): { readonly panel: Panel; readonly target: Target }[] {
  return dashboard().panels.flatMap((panel) => (panel.targets ?? []).map((target) => ({ panel, target })));
}

export function ruleFile(): RuleFile {
  const rule = load(readFileSync(join(CONFIG, 'prometheus', 'rules.yaml'), 'utf8')) as { readonly spec: RuleFile };
  return rule.spec;
}

export function alerts(): Alert[] {
  return ruleFile().groups.flatMap(({ rules }) => rules);
}

/** The dashboard variables that a query or title uses, including Grafana's own variables. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/\$\{?(\w+)\}?/g)].map(([, name = '']) => name);
}

const NO_METRICS = ['and', 'or', 'unless', 'bool'];
const PARTS = /"(?:\\.|[^"\\])*"|([a-zA-Z_:][\w:]*)(\s*\{[^}]*\})?(\s*\()?/g;

/**
 * The series that a Prometheus expression selects. Each series consists of the name of a metric and of conditions on
 * its labels.
 */
export function selectorsIn(expr: string): string[] {
  const bare = expr
    .replaceAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replaceAll(/\[[^\]]*\]|\boffset\s+-?\w+|\b\d[\w.]*/g, ' ');
  return [...bare.matchAll(PARTS)]
    .filter(([, name, , call]) => name !== undefined && call === undefined && !NO_METRICS.includes(name))
    .map(([, name = '', conditions = '']) => name + conditions.trim());
}
