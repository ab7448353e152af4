/** The first view: what is enforced where, and what violates it. */
import type { ViewProps } from '../view.ts';

export function Overview({ cluster: { snapshot } }: ViewProps) {
  return (
    <dl>
      <dt>Policies</dt>
      <dd>{snapshot.policies.length}</dd>
      <dt>Namespaces</dt>
      <dd>{snapshot.namespaces.length}</dd>
    </dl>
  );
}
