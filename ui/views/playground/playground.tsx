/**
 * Shows the playground: policies and pods as text, the verdict while the user types, and what the policies would
 * change.
 */
import type { ComponentProps } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { NEWEST_KNOWN_MINOR, parseVersion } from '../../../operator/standards/level-version.ts';
import { setParameters } from '../../address.ts';
import { EXAMPLES, playOfExample } from '../../model/examples.ts';
import { findingMarkers } from '../../model/finding-words.ts';
import { labelsOf, linkOf, type Play, playOf } from '../../model/play-link.ts';
import { leftOutText, type Marker, markersOf, shownItems, troubleMarkers } from '../../model/play-result.ts';
import type { PageWorker } from '../../worker/client.ts';
import { useLatest } from '../../worker/use-latest.ts';
import type { StandaloneProps } from '../view.ts';
import { ChangesSection } from './changes.tsx';
import { Comparison, useComparison } from './comparison.tsx';
import { CopyLink } from './copy-link.tsx';
import { Findings, useTextFindings } from './findings.tsx';
import { Mode } from './mode.tsx';
import { Results } from './results.tsx';
import { Start } from './start.tsx';
import { Texts } from './texts.tsx';
import type { OnReveal } from './troubles.tsx';

/** The texts of the playground, and the policies with which a comparison begins. */
interface Texted {
  readonly play: Play;
  /** The policies before the user edited them. */
  readonly base: string;
}

/** The texts are kept outside the component, so that they are not lost while another view is shown. */
let remembered: Texted = texted(playOfExample(EXAMPLES[0] as (typeof EXAMPLES)[number]));

function texted(play: Play): Texted {
  return { play, base: play.before ?? play.policies };
}

/** The time in ms to wait for further typing. While a user types fast, not every letter is evaluated. */
const TYPING_MS = 120;
const LINK_MS = 400;

export function Playground({ cluster, parameters, worker }: StandaloneProps) {
  const [{ play, base }, setTexted] = useState(remembered);
  const [loaded, setLoaded] = useState(0);
  const keep = (next: (before: Texted) => Texted) => {
    setTexted((before) => {
      remembered = next(before);
      return remembered;
    });
  };
  const load = () => setLoaded((count) => count + 1);
  const linked = useLink(parameters.play, play, (next) => {
    keep(() => texted(next));
    load();
  });
  const edit = (changes: Partial<Play>) => {
    linked.edited();
    keep((before) => {
      const next = { ...before.play, ...changes };
      return { play: next, base: next.before ?? before.base };
    });
  };
  const start = (changes: Partial<Play>) => {
    edit(changes);
    // The user may want to compare the chosen policies with the policies before the choice.
    keep((before) => (changes.policies === undefined ? before : texted(before.play)));
    load();
  };
  const minor = cluster ? parseVersion(cluster.snapshot.serverVersion) : undefined;
  const { answer, problem } = useCheck(play, minor ?? NEWEST_KNOWN_MINOR, worker);
  const comparison = useComparison(play, minor ?? NEWEST_KNOWN_MINOR);
  const findings = useTextFindings(play.policies, minor ?? NEWEST_KNOWN_MINOR);
  const [reveal, setReveal] = useState<ComponentProps<typeof Texts>['reveal']>({});
  const onReveal: OnReveal = (text, line) => setReveal({ [text]: { line } });
  const items = useMemo(() => answer && shownItems(answer), [answer]);
  const marked = useMemo(
    () => (findings.isCurrent ? findingMarkers(findings.found) : NO_MARKERS),
    [findings.isCurrent, findings.found],
  );
  const markers = useMemo(
    () => ({
      policies: [...(answer ? markersOf(answer, 'policies') : []), ...marked],
      manifests: answer ? markersOf(answer, 'manifests') : NO_MARKERS,
      before: comparison.answer ? troubleMarkers(comparison.answer.troubles, 'before') : NO_MARKERS,
    }),
    [answer, comparison.answer, marked],
  );
  return (
    <div class="playground">
      <div class="play-bar">
        <Start snapshot={cluster?.snapshot} worker={worker} onStart={start} />
        <Mode
          compares={play.before !== undefined}
          onChange={(compares) => edit({ before: compares ? base : undefined })}
        />
        <CopyLink play={play} />
      </div>
      {linked.problem && (
        <p class="play-problem" role="alert">
          {linked.problem} Your texts are unchanged.
        </p>
      )}
      <Texts
        play={play}
        loaded={loaded}
        markers={markers}
        reveal={reveal}
        onEdit={edit}
        onSetBefore={() => {
          edit({ before: play.policies });
          load();
        }}
      />
      {play.before !== undefined ? (
        <Comparison comparison={comparison} onReveal={onReveal} />
      ) : (
        <>
          <NamespaceFields play={play} onEdit={edit} />
          <Results
            items={items}
            troubles={answer?.troubles ?? []}
            leftOut={answer ? leftOutText(answer) : []}
            problem={problem}
            onReveal={onReveal}
          />
        </>
      )}
      <Findings answer={findings} onReveal={onReveal} />
      {cluster && (
        <ChangesSection
          key={cluster.snapshot.context}
          snapshot={cluster.snapshot}
          policies={play.policies}
          worker={worker}
        />
      )}
    </div>
  );
}

const NO_MARKERS: readonly Marker[] = [];

interface NamespaceFieldsProps {
  readonly play: Play;
  onEdit(changes: Partial<Play>): void;
}

/** The namespace of pods that state no namespace, and its labels. */
function NamespaceFields({ play, onEdit }: NamespaceFieldsProps) {
  return (
    <div class="play-namespace">
      <label class="filter">
        <span>Namespace</span>
        <input
          value={play.namespace}
          spellcheck={false}
          onInput={({ currentTarget }) => onEdit({ namespace: currentTarget.value })}
        />
      </label>
      <label class="filter play-labels">
        <span>Labels of the namespace</span>
        <input
          value={play.labels}
          spellcheck={false}
          placeholder="team=network,environment=production"
          onInput={({ currentTarget }) => onEdit({ labels: currentTarget.value })}
        />
      </label>
    </div>
  );
}

/** The verdict on the texts. The previous verdict is shown until a new verdict arrives. */
function useCheck(play: Play, serverVersion: number, worker: PageWorker) {
  const { answer, problem, ask, setProblem } = useLatest(worker, 'check');
  useEffect(() => {
    const timer = setTimeout(() => {
      try {
        const { policies, manifests, namespace, labels } = play;
        const at = Date.now();
        ask({
          policies,
          manifests,
          namespace: namespace || 'default',
          namespaceLabels: labelsOf(labels),
          serverVersion,
          at,
        });
      } catch (error) {
        setProblem((error as Error).message);
      }
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [play, serverVersion, ask]);
  return { answer, problem };
}

/** Follows the link in the address. When the user edits a text, the address is updated. */
function useLink(link: string | undefined, play: Play, onPlay: (play: Play) => void) {
  const own = useRef<string | undefined>(undefined);
  const isEdited = useRef(false);
  const [problem, setProblem] = useState('');
  useEffect(() => {
    if (!link || link === own.current) return;
    own.current = link;
    playOf(link).then(
      (linked) => {
        setProblem('');
        onPlay(linked);
      },
      (error) => setProblem((error as Error).message),
    );
  }, [link]);
  useEffect(() => {
    if (!isEdited.current) return;
    let isNewest = true;
    const timer = setTimeout(async () => {
      const next = await linkOf(play);
      // While the link was made, the text may have changed. The user may also have opened another view, whose address
      // has no such parameter.
      if (!isNewest) return;
      own.current = next;
      setParameters({ play: next });
    }, LINK_MS);
    return () => {
      isNewest = false;
      clearTimeout(timer);
    };
  }, [play]);
  return {
    problem,
    edited() {
      isEdited.current = true;
      setProblem('');
    },
  };
}
