/** The metadata fields that a migration reads from the input. */
import { open, string, strings } from '../schema/typed.ts';

export const METADATA = open({ name: string, namespace: string, labels: strings, annotations: strings });
