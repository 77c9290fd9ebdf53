"""recount3's human SRA samples, project by project, into one table of chosen genes (heil2022, Data).

:func:`build` goes twice over the projects: once to filter the samples and to learn every gene's variance and
range, once to write the chosen genes. Nothing larger than a slice of one project is ever in memory, and a
build that was killed goes on behind the last finished project.
"""
