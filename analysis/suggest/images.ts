/**
 * Finds the images for an entry in `spec.containers`. If the entry has images, the exception applies only to containers
 * with one of the images.
 */
import { containersOf } from '../../operator/model/containers.ts';
import type { PodContent } from '../../operator/model/objects.ts';

/** The API's limit for the number of images in an entry, and for the length of an image. */
const MOST = 16;
const LONGEST = 255;
/**
 * Matches an image with a tag and perhaps a digest, or with only a digest. The host of a registry may be followed by a
 * port.
 */
const TAGGED = /^((?:[A-Za-z0-9][A-Za-z0-9._:-]*\/)?[A-Za-z0-9][A-Za-z0-9._/-]*):[^/]+$/;
const DIGESTED = /^((?:[A-Za-z0-9][A-Za-z0-9._:-]*\/)?[A-Za-z0-9][A-Za-z0-9._/-]*)@[^/]+$/;
const PLAIN = /^(?:[A-Za-z0-9][A-Za-z0-9._:-]*\/)?[A-Za-z0-9][A-Za-z0-9._/-]*$/;

/**
 * The images of the named containers, with patterns that match any tag or digest. Because of the patterns, an update of
 * the workload needs no other exception.
 *
 * @returns no images if the policy cannot list all images. Without images, the entry applies to containers of any image
 */
export function imagesOf(names: readonly string[], pods: readonly PodContent[]): { images?: readonly string[] } {
  const own = pods.flatMap(({ spec }) => containersOf(spec)).filter(({ name }) => names.includes(name));
  const images = new Set(own.map((container) => anyVersion((container as { image?: unknown }).image)));
  const listed = [...images].flatMap((image) => image ?? []).sort();
  return listed.length > 0 && listed.length === images.size && listed.length <= MOST ? { images: listed } : {};
}

/**
 * Returns a pattern that matches the image with any tag or digest. If an entry cannot contain the image, the result is
 * undefined.
 */
function anyVersion(image: unknown): string | undefined {
  if (typeof image !== 'string' || image.length > LONGEST - 2 || image.includes('//')) return undefined;
  const [, digested] = DIGESTED.exec(image) ?? [];
  const [, tagged] = TAGGED.exec(image) ?? [];
  const [name, mark] = tagged !== undefined ? [tagged, ':'] : [digested, '@'];
  // The API accepts `*` in an image only if the image has a slash.
  if (name !== undefined) return name.includes('/') ? `${name}${mark}*` : undefined;
  return PLAIN.test(image) ? image : undefined;
}
