/** One wheel of the package index, pinned by its content. */
export interface WheelPin {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  /** Python regular expression over the wheel's file names: what is kept of it. */
  readonly keep: string;
}

/** Which build of TensorFlow: `cpu`, or `gpu` with CUDA 12 (never run on a GPU by this project). */
export type Flavour = 'cpu' | 'gpu';

/** Everything one flavour of the engine is made from. */
export interface EngineRecipe {
  readonly flavour: Flavour;
  readonly tensorflowVersion: string;
  readonly wheels: readonly WheelPin[];
  readonly downloadBytes: number;
  readonly installedBytes: number;
}

/** The two libraries and the C and C++ headers; compilers' and RPC headers are left out. */
const LIBRARIES =
  'tensorflow/(libtensorflow_(cc|framework)\\.so\\.2|include/(?!external/|tensorflow/compiler/).*)$';
const CUDA = 'nvidia/[^/]+/(lib/.*\\.so[.0-9]*|bin/ptxas|nvvm/libdevice/.*)$';

const cuda = (name: string, version: string, sha256: string): WheelPin => ({
  name: `nvidia-${name}-cu12`,
  version,
  sha256,
  keep: CUDA,
});

/** The recipe of each flavour. Sizes are for the disk check and the progress lines, not for verification. */
export const RECIPES: Readonly<Record<Flavour, EngineRecipe>> = {
  cpu: {
    flavour: 'cpu',
    tensorflowVersion: '2.20.0',
    wheels: [
      {
        name: 'tensorflow-cpu',
        version: '2.20.0',
        sha256: 'cf756bbe2d256e942ab5d0ad2c858fb40017581494febdb4387c149b1afde780',
        keep: LIBRARIES,
      },
    ],
    downloadBytes: 259e6,
    installedBytes: 850e6,
  },
  gpu: {
    flavour: 'gpu',
    tensorflowVersion: '2.20.0',
    wheels: [
      {
        name: 'tensorflow',
        version: '2.20.0',
        sha256: '481499fd0f824583de8945be61d5e827898cdaa4f5ea1bc2cc28ca2ccff8229e',
        keep: LIBRARIES,
      },
      // The `and-cuda` extra of that wheel.
      cuda('cublas', '12.9.3.13', 'd7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72'),
      cuda('cuda-cupti', '12.8.90', 'ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182'),
      cuda('cuda-nvcc', '12.9.86', '5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0'),
      cuda('cuda-nvrtc', '12.9.86', '210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4'),
      cuda('cuda-runtime', '12.9.79', '25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3'),
      cuda('cudnn', '9.28.0.42', '9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375'),
      cuda('cufft', '11.4.1.4', 'c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28'),
      cuda('curand', '10.3.10.19', '49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e'),
      cuda('cusolver', '11.7.5.82', '15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88'),
      cuda('cusparse', '12.5.10.65', '73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78'),
      cuda('nccl', '2.32.3', 'bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c'),
      cuda('nvjitlink', '12.9.86', 'e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9'),
    ],
    downloadBytes: 3.5e9,
    installedBytes: 5.6e9,
  },
};
