/** What a policy is compiled to: its rules with their CEL, and the objects as YAML. */
import { foldedCel, type Piece } from '../../model/folded-cel.ts';
import type { LinkTo } from '../../model/links.ts';
import { visibleText } from '../../model/visible-lines.ts';
import { Code } from '../../parts/code.tsx';
import { Name } from '../../parts/name.tsx';
import { Fold, Section } from '../../parts/section.tsx';
import type { RenderedManifest, RenderedPolicy, RuleText } from '../../worker/policy-facts.ts';

interface RenderedProps {
  readonly rendered: RenderedPolicy;
  readonly link: LinkTo;
}

export function RenderedObjects({ rendered: { yaml, objects, guards, decidedBy, rules }, link }: RenderedProps) {
  return (
    <>
      <Section title="As YAML" about="With the defaults of the fields that it leaves out.">
        <Code text={yaml} what="the policy" />
      </Section>
      {rules.length > 0 && (
        <Section
          title="Rules"
          about="API servers run the CEL text of each rule. Where several policies may decide, one text contains the rules of all of them."
        >
          {rules.map((rule) => (
            <Rule key={rule.rule} rule={rule} />
          ))}
        </Section>
      )}
      <Section title="Rendered objects" about="The operator writes these, and restores them if somebody changes them.">
        {decidedBy.map((policy) => (
          <p key={policy}>
            The rules are in the objects of{' '}
            <a href={link('policies', { policy })}>
              <Name text={policy} />
            </a>
            : policies with the same namespaces, priority and mode have one decision.
          </p>
        ))}
        <Objects objects={objects} rules={rules} />
      </Section>
      {guards.length > 0 && (
        <Section
          title="Guard"
          about={
            <>
              Nobody without the verb <code>exempt</code> may change the labels of a namespace so that it leaves the
              policy. The policies of mode Enforce share the objects that refuse this.
            </>
          }
        >
          <Objects objects={guards} rules={NO_RULES} />
        </Section>
      )}
    </>
  );
}

/** A guard looks at namespaces, not at pods. */
const NO_RULES: readonly RuleText[] = [];

const OVER = { pod: 'the pod', containers: 'each container', volumes: 'each volume' } as const;

function Rule({ rule: { rule, title, words, references, checks } }: { readonly rule: RuleText }) {
  return (
    <Fold
      summary={
        <>
          <code>{rule}</code> <span class="quiet">{title}</span>
        </>
      }
    >
      {() => (
        <div class="rule">
          <p>
            <q>{words}</q>
          </p>
          {references.length > 0 && (
            <ul>
              {references.map(({ guide, control, about }) => (
                <li key={`${guide} ${control} ${about}`}>
                  {guide}
                  {control !== null && `, ${control}`}: {about}
                </li>
              ))}
            </ul>
          )}
          {checks.map(({ over, violates, message }) => (
            <figure key={violates}>
              <figcaption>For {OVER[over]}, a violation is</figcaption>
              <pre class="cel">{visibleText(violates)}</pre>
              <figcaption>and its message is</figcaption>
              <pre class="cel">{visibleText(message)}</pre>
            </figure>
          ))}
        </div>
      )}
    </Fold>
  );
}

interface RenderedObjectProps {
  readonly object: RenderedManifest;
  readonly rules: readonly RuleText[];
}

function Objects({
  objects,
  rules,
}: {
  readonly objects: readonly RenderedManifest[];
  readonly rules: readonly RuleText[];
}) {
  return (
    <>
      {objects.map((object) => (
        <RenderedObject
          key={`${object.manifest.kind}/${object.manifest.metadata.name}`}
          object={object}
          rules={rules}
        />
      ))}
    </>
  );
}

function RenderedObject({ object: { manifest, yaml }, rules }: RenderedObjectProps) {
  const texts = namedCel(manifest);
  return (
    <Fold
      summary={
        <>
          {manifest.kind} <Name text={manifest.metadata.name} />
        </>
      }
    >
      {() => (
        <>
          {texts.map(({ name, text }) => (
            <Cel key={name} name={name} pieces={foldedCel(text, rules)} />
          ))}
          {texts.length === 0 ? (
            <Code text={yaml} what={`the ${manifest.kind}`} />
          ) : (
            <Fold summary="All of it as YAML">{() => <Code text={yaml} what={`the ${manifest.kind}`} />}</Fold>
          )}
        </>
      )}
    </Fold>
  );
}

/** The rules are folded: between them is how the texts of rules are put together. */
function Cel({ name, pieces }: { readonly name: string; readonly pieces: readonly Piece[] }) {
  const rules = [...new Set(pieces.flatMap(({ rule }) => rule ?? []))];
  return (
    <Fold
      class="expression"
      summary={
        <>
          {name} {rules.length > 0 && <span class="quiet">with the rules {rules.join(', ')}</span>}
        </>
      }
    >
      {() => (
        <div class="cel">
          {pieces.map(({ text, rule, what }, index) =>
            rule === undefined ? (
              <span key={index}>{visibleText(text)}</span>
            ) : (
              <details key={index} class="piece">
                <summary>
                  {rule}
                  {what === 'message' && ': message'}
                </summary>
                <span>{visibleText(text)}</span>
              </details>
            ),
          )}
        </div>
      )}
    </Fold>
  );
}

interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** The CEL texts of an admission policy by name, in the order in which they are evaluated. */
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
