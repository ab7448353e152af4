/** The metadata that is read of the objects of the input. */
import { open, string, strings } from '../schema/typed.ts';

export const METADATA = open({ name: string, namespace: string, labels: strings, annotations: strings });
