/**
 * The beginning of the name of the volume that the API server adds for a service account's token. A random ending
 * follows.
 */
export const TOKEN_VOLUME = 'kube-api-access';

/**
 * A CEL expression of type list: the sources of the projected volume `v`. If a projected volume has no sources, the API
 * server gives null to admission policies, because the field has no omitempty (ProjectedVolumeSource). CEL cannot
 * iterate over null. The function `dyn` lets API servers compare the list with null when they check types.
 */
export const SOURCES = '(dyn(v.?projected.?sources.orValue([])) == null ? [] : v.?projected.?sources.orValue([]))';
