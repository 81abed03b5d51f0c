"""What Euclid does to light: bands, detectors and noise, and the artefacts of both.

`bands.band` gives a filter by its name, `instrument.expose` the picture that it takes of an image
without noise, and each kind of artefact is one class in `detector_artefacts` or
`optical_artefacts`.
"""
