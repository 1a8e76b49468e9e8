"""PoseTrack 2017 and 2018: poses and tracks in videos, as data, test procedure and figures of the pose task."""
