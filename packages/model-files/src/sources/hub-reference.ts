/** A model on the Hugging Face hub: a repository at a revision, or one GGUF file of it. */
export interface HubReference {
  /** `owner/name`. */
  readonly repository: string;
  /** Path of a `.gguf` file inside the repository, if one was asked for. */
  readonly file: string | undefined;
  /** Branch, tag or commit. */
  readonly revision: string;
}

const NAME = '[A-Za-z0-9_][\\w.-]*';
const FORM = new RegExp(
  `^(?:hub:)?(${NAME}/${NAME})(?:/((?:${NAME}/)*${NAME}\\.gguf))?(?:@(${NAME}(?:/${NAME})*))?$`,
);

/**
 * Reads `owner/name`, `owner/name/file.gguf`, either with `@revision`; `hub:` in front is optional.
 * No part begins with a dot, so that none leads out of a folder.
 * @param defaultRevision Of a reference that names none.
 * @returns undefined if the reference is of another form.
 */
export function parseHubReference(reference: string, defaultRevision: string): HubReference | undefined {
  const [match, repository, file, revision] = FORM.exec(reference) ?? [];
  if (match === undefined || repository === undefined) return undefined;
  return { repository, file, revision: revision ?? defaultRevision };
}
