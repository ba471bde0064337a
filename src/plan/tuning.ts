/** Sizes that a device would choose; tests force tiny ones, so that small cases take every path. */
export interface Tuning {
  /** Invocations of a workgroup, a power of two. */
  readonly workgroupSize: number;
  /**
   * The same where a workgroup shares a row of the caller's tensor: on a software adapter each barrier is dear. Its lanes sum
   * what they see and then add up their sums, so that another size gives other last digits.
   */
  readonly rowWorkgroupSize: number;
  /** Rows of fewer classes than this are left to one invocation each. A GPU has lanes to spare, and labels may be many. */
  readonly sharedRow: number;
  /** Classes and labels, or pairs and steps, that one dispatch handles: keeps a dispatch short. */
  readonly elementsPerDispatch: number;
  /** Steps that a dispatch walks one after another, for the same. */
  readonly stepsPerDispatch: number;
  /** The most pairs of a row that `step` gives a workgroup of its own: every device has 256 invocations for one. */
  readonly widestRow: number;
  /** Frames that one command walks: the length of the table behind `integer`. */
  readonly framesPerCommand: number;
  /** Bytes of lattice that a part of the batch aims at: on a CPU it should stay in the cache. */
  readonly partBytes: number;
  /** Lanes of a workgroup that sweeps, four pairs each; 0: as many as a row needs. */
  readonly lanes: number;
  /** Whether those are a subgroup. */
  readonly subgroups: boolean;
  readonly software: boolean;
}

/** What a tuning must know of a device. */
export interface Adapter {
  /** No GPU behind it. */
  readonly software: boolean;
  /** Mesa's software driver, lavapipe. */
  readonly llvmpipe?: boolean;
  /** The twins: no device at all. */
  readonly cpu?: boolean;
  /** Lanes of a subgroup, where the device has subgroups of one size only. */
  readonly subgroupSize?: number;
}

/**
 * Whether arrays of the host are done sooner by the twins than by the kernels on an adapter: what `device: 'auto'` goes by. Of the
 * software drivers SwiftShader takes two to four times as long as they do, and lavapipe half as long to as long.
 */
export const areTwinsFaster = ({ software, llvmpipe = false }: Adapter): boolean => software && !llvmpipe;

export function tuningFor({ software, cpu = false, subgroupSize }: Adapter): Tuning {
  return {
    workgroupSize: 64,
    rowWorkgroupSize: subgroupSize ?? (software ? 8 : 64),
    sharedRow: software ? 512 : 8,
    elementsPerDispatch: software ? 2 ** 20 : 2 ** 25,
    stepsPerDispatch: 2 ** 14,
    widestRow: 256,
    framesPerCommand: 4096,
    partBytes: cpu ? 2 ** 22 : Number.POSITIVE_INFINITY,
    lanes: cpu ? 0 : (subgroupSize ?? (software ? 8 : 64)),
    subgroups: subgroupSize !== undefined,
    software,
  };
}
