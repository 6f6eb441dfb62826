"""What a campaign is made of: files in a folder, and cases that name them.

A case is a line of cases.tsv: name, stage, exit codes that are right (65, or 0|65), words that the
message must hold, settings (section.key=value, blanks between). The stage `deck` reads a deck and
does nothing else. campaign.c runs the cases; cases.py makes them all.
"""
import gzip
import os
import struct


class Campaign:
    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.rows = []
        self.names = set()

    def path(self, name):
        path = os.path.join(self.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def file(self, name, content):
        """Writes text or bytes; gives the path."""
        path = self.path(name)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def case(self, name, stage, codes, words, settings):
        assert name not in self.names, name
        self.names.add(name)
        text = " ".join(f"{key}={value}" for key, value in settings.items())
        cells = [name, stage, str(codes), words, text]
        assert not any("\t" in cell or "\n" in cell for cell in cells), name
        self.rows.append("\t".join(cells))

    def write(self):
        self.file("cases.tsv", "\n".join(self.rows) + "\n")


class Volume:
    """A NIfTI-1 (or -2) file of 16 x 16 x 3 bytes, to be spoiled."""

    def __init__(self, version=1, order="<", pair=False):
        self.version, self.order, self.keep = version, order, None
        self.data = bytes(1 + i % 200 for i in range(16 * 16 * 3))
        self.header = bytearray(352 if version == 1 else 544)
        if pair:
            self.header = self.header[:-4]
        offset = 0 if pair else len(self.header)
        if version == 1:
            self.put(0, "i", 348)
            self.header[344:348] = b"ni1\0" if pair else b"n+1\0"
        else:
            self.put(0, "i", 540)
            self.header[4:12] = b"ni2\0\r\n\032\n" if pair else b"n+2\0\r\n\032\n"
        self.dims(3, 16, 16, 3, 1, 1, 1, 1)
        self.kind(2, 8)
        self.offset(offset)
        self.scale(1, 0)

    def put(self, at, form, *values):
        struct.pack_into(self.order + form, self.header, at, *values)
        return self

    def dims(self, *values):
        return self.put(40, f"{len(values)}h", *values) if self.version == 1 else self.put(16, f"{len(values)}q", *values)

    def dim(self, axis, value):
        return self.put(40 + 2 * axis, "h", value) if self.version == 1 else self.put(16 + 8 * axis, "q", value)

    def kind(self, datatype, bits):
        return self.put(70 if self.version == 1 else 12, "2h", datatype, bits)

    def offset(self, value):
        return self.put(108, "f", value) if self.version == 1 else self.put(168, "q", int(value))

    def scale(self, slope, intercept):
        return self.put(112, "2f", slope, intercept) if self.version == 1 else self.put(176, "2d", slope, intercept)

    def magic(self, text):
        at = 344 if self.version == 1 else 4
        self.header[at:at + len(text)] = text
        return self

    def cut(self, keep):
        self.keep = keep
        return self

    def voxels(self, data):
        self.data = data
        return self

    def bytes(self):
        return (bytes(self.header) + self.data)[: self.keep]

    def gzip(self):
        return gzip.compress(self.bytes(), mtime=0)
