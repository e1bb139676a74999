/** People, for the nodes without parents; none occurs in ProsQA. */
export const PEOPLE: readonly string[] =
  'Anton Bruno Clara Dora Emil Frida Greta Hugo Ines Jonas Karla Lena Milo Nora Otto Petra Rosa Silas Ulla Vera'.split(
    ' ',
  );

/** Made-up nouns, for the other nodes; none occurs in ProsQA, and all take the article "a". */
export const NOUNS: readonly string[] = (
  'blicket brindle cazzow corvin daxen dremmel fendle fliplet gazzer gribbon hembrick jabbit jorvel kindle ' +
  'kravel lunnet mabber morvin nebbit norvel plovin prindle quonset rallow rindel skimmer snarvel tarrow ' +
  'thrimble toopin vandle vorrit wandle whimlet yandel yorrow zandle zibbit zorvin glimmet'
).split(' ');
