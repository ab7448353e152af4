/** Shows the rendered form of a policy: its rows, its rules, and the objects that the operator writes. */

import { Code } from '../../components/code.tsx';
import { Name } from '../../components/name.tsx';
import { Fold, Section } from '../../components/section.tsx';
import { shortenedCel } from '../../model/shortened-cel.ts';
import { visibleText } from '../../model/visible-lines.ts';
import type { RenderedManifest, RenderedPolicy } from '../../worker/rendered-policy.ts';
import { Rows } from './rows.tsx';
import { Rules } from './rules.tsx';

interface RenderedProps {
  readonly policy: string;
  readonly rendered: RenderedPolicy;
}

export function RenderedObjects({ policy, rendered: { yaml, rows, rules, grant, programs } }: RenderedProps) {
  return (
    <>
      <Section title="As YAML" about="With the defaults of the fields that it leaves out.">
        <Code text={yaml} what="the policy" />
      </Section>
      {rows.length > 0 && <Rows rows={rows} />}
      {rules.length > 0 && <Rules rules={rules} />}
      <Section
        title="Rendered objects"
        about={
          grant.length === 0
            ? 'None: no version of the policy is in force.'
            : 'The operator writes these, and restores them if somebody changes them. The programs have the rows of other policies, too.'
        }
      >
        {[...grant, ...programs].map((object) => (
          <RenderedObject
            key={`${object.manifest.kind}/${object.manifest.metadata.name}`}
            object={object}
            policy={policy}
          />
        ))}
      </Section>
    </>
  );
}

interface RenderedObjectProps {
  readonly object: RenderedManifest;
  readonly policy: string;
}

function RenderedObject({ object: { manifest, yaml }, policy }: RenderedObjectProps) {
  const code = () => <Code text={yaml} what={`the ${manifest.kind}`} />;
  return (
    <Fold
      summary={
        <>
          {manifest.kind} <Name text={manifest.metadata.name} />
        </>
      }
    >
      {() => {
        const texts = namedCel(manifest);
        if (texts.length === 0) return code();
        return (
          <>
            {texts.map(({ name, text }) => (
              <Cel key={name} name={name} text={text} policy={policy} />
            ))}
            <Fold summary="All of it as YAML">{code}</Fold>
          </>
        );
      }}
    </Fold>
  );
}

/** Shows a CEL expression. A table may have any length, so the lines that name the policy come first. */
function Cel({ name, text, policy }: NamedText & { readonly policy: string }) {
  return (
    <Fold summary={name}>
      {() => {
        const short = shortenedCel(text, policy);
        const lines = text.split('\n').length;
        return (
          <>
            <pre class="cel">{visibleText(short ?? text)}</pre>
            {short !== undefined && (
              <Fold summary={lines === 1 ? 'The whole line' : `All ${lines.toLocaleString('en')} lines`}>
                {() => <Code text={text} what={name} />}
              </Fold>
            )}
          </>
        );
      }}
    </Fold>
  );
}

interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** The CEL expressions of an admission policy, in the order in which they are evaluated. Each expression has a name. */
function namedCel(manifest: RenderedManifest['manifest']): NamedText[] {
  const {
    matchConditions = [],
    variables = [],
    validations = [],
    mutations = [],
  } = (manifest.spec ?? {}) as {
    readonly [list: string]: readonly Readonly<Record<string, unknown>>[];
  };
  const named = (list: readonly Readonly<Record<string, unknown>>[], what: string) =>
    list.map(({ name, expression }) => ({ name: `${what} ${name}`, text: String(expression) }));
  return [
    ...named(matchConditions, 'match condition'),
    ...named(variables, 'variable'),
    ...validations.flatMap(({ expression, messageExpression }, index) => [
      { name: `validation ${index + 1}`, text: String(expression) },
      ...(messageExpression === undefined
        ? []
        : [{ name: `validation ${index + 1}, message`, text: String(messageExpression) }]),
    ]),
    ...mutations.flatMap(({ applyConfiguration, jsonPatch }, index) => {
      const { expression } = (applyConfiguration ?? jsonPatch ?? {}) as { readonly expression?: string };
      return expression === undefined ? [] : [{ name: `mutation ${index + 1}`, text: expression }];
    }),
  ];
}
