/** The name of the volume that the API server adds for a service account's token, before its random ending. */
export const TOKEN_VOLUME = 'kube-api-access';
