import { runProgram } from './programs.js';

/** Python's zipfile checks each member's CRC as it reads. */
const UNPACK = `
import os, re, shutil, sys, zipfile
wheel, folder, keep = sys.argv[1], os.path.realpath(sys.argv[2]), re.compile(sys.argv[3])
kept = 0
with zipfile.ZipFile(wheel) as archive:
    for member in archive.infolist():
        if member.is_dir() or not keep.match(member.filename):
            continue
        target = os.path.join(folder, member.filename)
        if not os.path.realpath(target).startswith(folder + os.sep):
            sys.exit('a member of the wheel leaves its folder: ' + member.filename)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with archive.open(member) as source, open(target, 'wb') as output:
            shutil.copyfileobj(source, output, 1 << 20)
        if member.external_attr >> 16 & 0o111:
            os.chmod(target, 0o755)
        kept += 1
print(kept)
`;

/**
 * Unpacks the wanted files of a wheel into a folder.
 *
 * @param keep Python regular expression that the wanted members' names start with.
 * @throws if the archive is damaged, or holds none of the wanted files.
 */
export async function unpackWheel(wheel: string, folder: string, keep: string): Promise<void> {
  const kept = Number(await runProgram('python3', ['-c', UNPACK, wheel, folder, keep]));
  if (!(kept > 0)) throw new Error(`unpackWheel: expected files that match ${keep} in ${wheel}, got none`);
}
