/** Chooses the initial texts of the playground: an example, or a policy and a workload of the cluster. */
import { useMemo, useState } from 'preact/hooks';
import type { Snapshot } from '../../../analysis/snapshot/document.ts';
import { visibleControls } from '../../../analysis/text/printable-values.ts';
import { EXAMPLES, playOfExample } from '../../model/examples.ts';
import { labelsText, type Play } from '../../model/play-link.ts';
import { workloadsByShape } from '../../model/play-workloads.ts';
import type { PageWorker } from '../../worker/client.ts';

const EXAMPLE_OPTIONS = EXAMPLES.map(({ title }, index) => [String(index), title] as const);

interface StartProps {
  readonly snapshot: Snapshot | undefined;
  readonly worker: PageWorker;
  onStart(changes: Partial<Play>): void;
}

export function Start({ snapshot, worker, onStart }: StartProps) {
  const [problem, setProblem] = useState('');
  const workloads = useMemo(() => (snapshot ? workloadsByShape(snapshot) : []), [snapshot]);
  const pods = useMemo(() => workloads.map(({ title }, index) => [String(index), title] as const), [workloads]);
  const policies = useMemo(() => snapshot?.policies.map(({ name }) => [name, name] as const), [snapshot]);
  const told = (work: Promise<Partial<Play>>) =>
    work.then(
      (changes) => {
        setProblem('');
        onStart(changes);
      },
      (error) => setProblem(String(error)),
    );
  const policy = (name: string) => worker.ask('policyText', { policy: name }).then((policies) => ({ policies }));
  const workload = async (key: string) => {
    const chosen = workloads[Number(key)];
    if (!chosen) return {};
    const { shape, namespace, name } = chosen;
    const manifests = await worker.ask('podText', { shape, namespace, name });
    const labels = snapshot?.namespaces.find((one) => one.name === namespace)?.labels ?? {};
    return { manifests, namespace, labels: labelsText(labels) };
  };
  return (
    <div class="play-start">
      <Menu
        label="Example"
        options={EXAMPLE_OPTIONS}
        onChoose={(index) => {
          const example = EXAMPLES[Number(index)];
          if (example) onStart(playOfExample(example));
        }}
      />
      {policies && (
        <>
          <Menu label="Policy of the cluster" options={policies} onChoose={(name) => told(policy(name))} />
          <Menu label="Pod of the cluster" options={pods} onChoose={(key) => told(workload(key))} />
        </>
      )}
      {problem !== '' && <span role="alert">{problem}</span>}
    </div>
  );
}

interface MenuProps {
  readonly label: string;
  /** The choices of the menu, each as a value and a text. */
  readonly options: readonly (readonly [string, string])[];
  onChoose(value: string): void;
}

/** A menu that shows its label again after each choice, because the user may edit the chosen texts. */
function Menu({ label, options, onChoose }: MenuProps) {
  // The user can filter the choices by typing a text, because the menus may be long.
  const choices = useMemo(
    () =>
      options.map(([value, text]) => (
        <option key={value} value={value}>
          {visibleControls(text)}
        </option>
      )),
    [options],
  );
  return (
    <select
      aria-label={label}
      value=""
      onChange={({ currentTarget }) => {
        const { value } = currentTarget;
        currentTarget.value = '';
        onChoose(value);
      }}
    >
      <option value="">{label} …</option>
      {choices}
    </select>
  );
}
