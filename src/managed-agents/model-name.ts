/** The name of a model. On the wire it is an object `{id, speed, ...}`; a bare string is what callers may send. */
export function modelName(model: string | { readonly id?: string } | null | undefined): string | null {
  return (typeof model === 'string' ? model : model?.id) ?? null;
}
