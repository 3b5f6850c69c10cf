internal import Cluster

extension ClusterFileError: BadInput {}
extension PlaceError: BadInput {}
