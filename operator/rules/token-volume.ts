/**
 * The beginning of the name of the volume that the API server adds for a service account's token. A random ending
 * follows.
 */
export const TOKEN_VOLUME = 'kube-api-access';
