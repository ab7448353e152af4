/** The fields of an object's metadata that a migration reads. */
import { open, string, strings } from '../schema/typed.ts';

export const METADATA = open({ name: string, namespace: string, labels: strings, annotations: strings });
