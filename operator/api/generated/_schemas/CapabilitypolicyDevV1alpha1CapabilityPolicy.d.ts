export function validate(data: unknown): boolean;
