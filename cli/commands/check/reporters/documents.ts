/**
 * The reporters for -o json and -o yaml. JSON and YAML output have the same content, which
 * docs/reference/check.schema.json describes. Each reporter writes a single document in fragments, item by item.
 */
import { dump } from 'js-yaml';
import { checkedProblem } from '../../../../analysis/check/checked.ts';
import type {
  CheckedItem,
  CheckedPolicy,
  CheckedProblem,
  CheckedRule,
  Summary,
} from '../../../../analysis/check/result.ts';
import { rulesNamed } from '../../../../analysis/check/rule-references.ts';
import { jsonText } from '../../../../analysis/text/printable-values.ts';
import type { Reporter, ReporterOptions } from './reporter.ts';

interface Rest {
  readonly problems: readonly CheckedProblem[];
  readonly rules: readonly CheckedRule[];
  readonly summary: Summary;
}

/** Writes the fragments of a document in one output format. */
interface Fragments {
  policies(policies: readonly CheckedPolicy[]): string;
  item(item: CheckedItem, isFirst: boolean): string;
  end(rest: Rest, isEmpty: boolean): string;
}

/** The text before and after an item in a JSON document. */
const BEFORE = '{\n  "items": [';
const AFTER = '\n  ]\n}';

const JSON_FRAGMENTS: Fragments = {
  policies: (policies) => jsonText({ policies, items: [] }).slice(0, -']\n}'.length),
  item: (item, isFirst) => `${isFirst ? '' : ','}${jsonText({ items: [item] }).slice(BEFORE.length, -AFTER.length)}`,
  end: (rest, isEmpty) => `${isEmpty ? '' : '\n  '}],${jsonText(rest).slice('{'.length)}\n`,
};

const YAML_FRAGMENTS: Fragments = {
  policies: (policies) => yaml({ policies }),
  item: (item, isFirst) => `${isFirst ? 'items:\n' : ''}${yaml([item])}`,
  end: (rest, isEmpty) => `${isEmpty ? 'items: []\n' : ''}${yaml(rest)}`,
};

export const jsonReporter = (options: ReporterOptions) => documentReporter(JSON_FRAGMENTS, options);
export const yamlReporter = (options: ReporterOptions) => documentReporter(YAML_FRAGMENTS, options);

function documentReporter(fragments: Fragments, { stdout }: ReporterOptions): Reporter {
  const problems: CheckedProblem[] = [];
  const broken = new Set<string>();
  let isEmpty = true;
  return {
    wide: true,
    begin: (policies) => void stdout.write(fragments.policies(policies)),
    item({ item }) {
      stdout.write(fragments.item(item, isEmpty));
      isEmpty = false;
      for (const { rule } of item.violations) broken.add(rule);
    },
    trouble: (trouble) => void problems.push(checkedProblem(trouble)),
    end: (summary) => void stdout.write(fragments.end({ problems, rules: rulesNamed(broken), summary }, isEmpty)),
  };
}

function yaml(value: object): string {
  return dump(value, { lineWidth: -1, noRefs: true });
}
