/** The encoder and the decoder of stage 1, by parameter name. */
export interface StageOneModels<T> {
  readonly encoder: ReadonlyMap<string, T>;
  readonly decoder: ReadonlyMap<string, T>;
}

const MODELS = ['encoder', 'decoder'] as const;

/** Both models' tensors in one map, their names prefixed by the model's. */
export function joinModels<T>(models: Partial<StageOneModels<T>>): Map<string, T> {
  return new Map(
    MODELS.flatMap((model) =>
      [...(models[model] ?? [])].map(([name, value]) => [`${model}/${name}`, value] as const),
    ),
  );
}

/** The inverse of `joinModels`. */
export function splitModels<T>(joined: ReadonlyMap<string, T>): StageOneModels<T> {
  const part = (model: string) =>
    new Map(
      [...joined]
        .filter(([name]) => name.startsWith(`${model}/`))
        .map(([name, value]) => [name.slice(model.length + 1), value] as const),
    );
  return { encoder: part('encoder'), decoder: part('decoder') };
}
