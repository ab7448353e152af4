/** Shows all policies, or the policy that the address names. */
import type { ViewProps } from '../view.ts';
import { PolicyList } from './list.tsx';
import { PolicyPage } from './policy.tsx';

export function Policies(props: ViewProps) {
  const { policy = '' } = props.parameters;
  return policy === '' ? <PolicyList {...props} /> : <PolicyPage {...props} name={policy} />;
}
