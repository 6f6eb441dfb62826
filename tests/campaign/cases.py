#!/usr/bin/python3
"""Makes the campaign of bad inputs: cases.py FOLDER STUDY

FOLDER gets the files and cases.tsv; STUDY is the folder of a small study that radmix has made, whose
files are damaged. The same every time: nothing here is drawn by chance.
"""
import sys

import hdf5_cases
import nifti_cases
import text_cases
from campaign import Campaign


def main():
    c = Campaign(sys.argv[1])
    nifti_cases.make(c)
    text_cases.make(c)
    hdf5_cases.make(c, sys.argv[2])
    c.write()
    print(len(c.rows))


if __name__ == "__main__":
    main()
