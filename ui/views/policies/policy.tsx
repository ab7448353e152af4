/** Shows one policy: its conditions, where it decides and why, who may use it, its label, and its objects. */
import { useMemo } from 'preact/hooks';
import type { SnapshotPolicy } from '../../../analysis/snapshot/document.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import type { LabelSelector } from '../../../operator/api/capability-policy.ts';
import { Badge, WordBadge } from '../../components/badge.tsx';
import { Conditions } from '../../components/conditions.tsx';
import { Empty } from '../../components/empty.tsx';
import { Name } from '../../components/name.tsx';
import { Section } from '../../components/section.tsx';
import { type LinkTo, linksFrom } from '../../model/links.ts';
import { policyRows } from '../../model/policy-list.ts';
import { selectorWords } from '../../model/selector-words.ts';
import { useAnswer } from '../../worker/use-answer.ts';
import { useFindings } from '../../worker/use-findings.ts';
import type { ViewProps } from '../view.ts';
import { FindingsSection } from './findings.tsx';
import { LabelSection } from './label.tsx';
import { RenderedObjects } from './rendered.tsx';
import { RolloutSection } from './rollout.tsx';
import { SelectedNamespaces } from './selected-namespaces.tsx';
import { UnusedGrants } from './unused.tsx';
import { Users } from './users.tsx';

export function PolicyPage(props: ViewProps & { readonly name: string }) {
  const { name, cluster, parameters } = props;
  const { snapshot } = cluster;
  const policy = snapshot.policies.find((one) => one.name === name);
  const link = linksFrom(parameters);
  return (
    <article class="policy">
      <p class="back">
        <a href={link('policies')}>All policies</a>
      </p>
      {policy ? (
        <Details {...props} policy={policy} link={link} />
      ) : (
        <Empty text={`The cluster has no policy ${visibleControls(name)}.`} />
      )}
    </article>
  );
}

interface DetailsProps extends ViewProps {
  readonly policy: SnapshotPolicy;
  readonly link: LinkTo;
}

function Details({ cluster: { snapshot }, worker, parameters, policy, link }: DetailsProps) {
  const { name, spec, status } = policy;
  const facts = useAnswer(worker, snapshot, 'policy', { policy: name });
  const rendered = useAnswer(worker, snapshot, 'rendered', { policy: name });
  const told = useFindings(snapshot);
  const row = useMemo(() => policyRows({ ...snapshot, policies: [policy] })[0], [snapshot, policy]);
  if (!row) return null;
  return (
    <>
      <h2>
        <Name text={name} /> <Badge tone={row.state.tone}>{row.state.word}</Badge>
      </h2>
      <dl class="policy-facts">
        <dt>Mode</dt>
        <dd>
          <WordBadge word={spec.mode} /> {MODE_WORDS[spec.mode]}
        </dd>
        <dt>Level</dt>
        <dd>
          <b>{spec.level}</b>{' '}
          {spec.levelVersion === 'latest' ? 'of the newest version of all API servers' : spec.levelVersion}
          {row.exceptions.length > 0 && (
            <ul>
              {row.exceptions.map((text) => (
                <li key={text}>
                  <Name text={text} />
                </li>
              ))}
            </ul>
          )}
        </dd>
        <dt>Selects</dt>
        <dd>
          <Selects selector={spec.namespaceSelector} />
        </dd>
        <dt>Priority</dt>
        <dd>{spec.priority}</dd>
        <dt>Violating</dt>
        <dd>
          {row.workloads.violating > 0 ? (
            <a href={link('violations', { policy: name })}>
              {row.workloads.violating.toLocaleString('en')} of {row.workloads.evaluated.toLocaleString('en')} workloads
            </a>
          ) : (
            `none of ${row.workloads.evaluated.toLocaleString('en')} workloads`
          )}
          {row.workloads.unknown > 0 && `, ${row.workloads.unknown.toLocaleString('en')} unknown`}
        </dd>
        {spec.expires !== undefined && (
          <>
            <dt>Expires</dt>
            <dd>
              <time dateTime={spec.expires}>{new Date(spec.expires).toLocaleString()}</time>
            </dd>
          </>
        )}
        {spec.reason !== undefined && (
          <>
            <dt>Reason</dt>
            <dd>
              <Name text={spec.reason} />
            </dd>
          </>
        )}
      </dl>
      {policy.accepted && (
        <p class="warning">
          The current spec is not accepted. The last accepted one, of level {policy.accepted.level}, stays in force.
        </p>
      )}
      <FindingsSection policy={name} told={told} link={link} />
      <Section title="Conditions">
        <Conditions conditions={status.conditions ?? []} />
      </Section>
      {spec.rollout && <RolloutSection policy={policy} taken={snapshot.taken} link={link} />}
      <UnusedGrants status={status} />
      {facts.state === 'failed' && <p class="critical">{facts.error}</p>}
      {facts.state === 'answered' && (
        <>
          <SelectedNamespaces
            policy={policy}
            facts={facts.answer}
            snapshot={snapshot}
            parameters={parameters}
            link={link}
          />
          <LabelSection policy={policy} facts={facts.answer} />
          <Users policy={policy} facts={facts.answer} />
        </>
      )}
      {rendered.state === 'failed' && <p class="critical">{rendered.error}</p>}
      {rendered.state === 'answered' && <RenderedObjects policy={name} rendered={rendered.answer} />}
    </>
  );
}

function Selects({ selector }: { readonly selector: LabelSelector }) {
  const words = selectorWords(selector);
  if (words.length === 0) return <>all namespaces that are not excluded</>;
  return (
    <>
      namespaces <Name text={words.join(', ')} />
    </>
  );
}

const MODE_WORDS = {
  Enforce: 'refuses pods that violate it',
  Warn: 'admits pods that violate it, and warns who creates them',
  Audit: 'admits pods that violate it, and records them in the audit log',
} as const;
