import { fileURLToPath } from 'node:url';

/** The C++ sources of this package: `native`, next to the folder that this file is in (`src` or `dist`). */
export const NATIVE_FOLDER = fileURLToPath(new URL('../native/', import.meta.url));
